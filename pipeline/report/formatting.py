"""Numbers as a reader sees them, where no metric of the catalogue says how."""

import math

from pipeline.report.table import NOTHING


def number(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, without an exponent; a dash for NaN."""
    if math.isnan(value):
        return NOTHING
    places = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{places}f}".replace("-", "−")


def fixed(value: float, places: int) -> str:
    """A number with so many digits after the point; a dash for NaN."""
    return NOTHING if math.isnan(value) else f"{value:,.{places}f}".replace("-", "−")


def interval(value: float, low: float, high: float, places: int) -> str:
    """`0.38 (0.32–0.48)`; the number alone where there are no bounds; "to" for a dash beside a minus."""
    if math.isnan(value) or math.isnan(low):
        return fixed(value, places)
    dash = " to " if low < 0 else "–"
    return f"{fixed(value, places)} ({fixed(low, places)}{dash}{fixed(high, places)})"


def p_value(p: float) -> str:
    """`p = 0.0039`, `p < 0.0001`."""
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"
