"""Numbers as a reader sees them, where no metric of the catalogue says how."""

import math
from collections.abc import Mapping
from typing import Any

from pipeline.report.table import NOTHING


def fixed(value: float, places: int) -> str:
    """A number with so many digits after the point; a dash for NaN."""
    return NOTHING if math.isnan(value) else f"{round(value, places) + 0.0:,.{places}f}".replace("-", "−")


def interval(value: float, low: float, high: float, places: int) -> str:
    """`0.38 (0.32–0.48)`; the number alone where there are no bounds; "to" for a dash beside a minus."""
    if math.isnan(value) or math.isnan(low):
        return fixed(value, places)
    dash = " to " if low < 0 else "–"
    return f"{fixed(value, places)} ({fixed(low, places)}{dash}{fixed(high, places)})"


def p_value(p: float) -> str:
    """`p = 0.0039`, `p < 0.0001`; `not tested` for NaN."""
    if math.isnan(p):
        return "not tested"
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"


def of_clusters(test: Mapping[str, Any], drawn: str) -> str:
    """The pairs of a test and the prompts, or mixtures, of these: `66 pairs of 22 prompts`; `66 pairs` of as many."""
    return f"{test['pairs']} pairs" + (f" of {test['clusters']} {drawn}" if test["clusters"] < test["pairs"] else "")


def points(share: float) -> str:
    """A difference of shares in percentage points, with its sign: `+10.0`, `−1.6`."""
    return f"{100 * share:+.1f}".replace("-", "−")
