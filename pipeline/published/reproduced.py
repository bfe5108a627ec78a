"""Whether a run reproduces the published figures, by the clips that both have."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from metrics.scoring.measured import Measured
from pipeline.evaluation.catalogue import PARAMETERS, SPEED
from pipeline.evaluation.evaluated import Evaluated
from pipeline.evaluation.results import Evaluation

REPRODUCED, DIFFERS = "reproduced", "differs"
OTHER_WEIGHTS, OTHERWISE = "other weights", "measured otherwise"
COLUMNS = ("method", "asked", "metric", "clips", "same", "value", "published", "low", "high", "flag", "verdict")
_ASKED = ("clip", "prompt_id", "mixture", "caption", "seed")  # what clips of both must have alike
_NO_FIGURES = (SPEED.name, PARAMETERS.name)  # one is the machine's, the other known beforehand
_EQUAL = 1e-3  # relative: what half precision leaves of a value that has no interval


def compared(evaluation: Evaluation, methods: Sequence[Evaluated], published: Sequence[Evaluated]) -> pd.DataFrame:
    """A row for every metric of every method that the run and the published figures have clips of in common.

    clips: of the same prompt or mixture and the same noise in both; same: how many of them are bit for bit alike.
    value: of the run's, published: of the published ones, low, high: its interval, of so few. flag: a caveat of the
    run's value, or nothing. verdict: REPRODUCED where the value lies in the interval, or without one is the same to
    0.1 %, DIFFERS where it does not; and in a single row without values OTHER_WEIGHTS where clips are of another model,
    OTHERWISE where they were measured with other networks or another protocol.

    REPRODUCED is no proof of equality: where clips are few, intervals are wide, and another method may lie in them.
    """
    by_name = {one.name: one for one in published}
    pairs = [(method, by_name[method.name]) for method in methods if method.name in by_name]
    rows = [row for own, theirs in pairs for row in _of_pair(evaluation, own, theirs)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def only(method: Evaluated, clips: set[str]) -> Evaluated:
    """What is known of some of a method's clips alone."""
    table, measured = method.table, method.measured
    kept = measured.table["clip"].isin(clips).to_numpy()
    requested = table[table["clip"].isin(clips)].reset_index(drop=True)
    errors = [error for error in measured.errors if error[0] in clips]
    few = Measured(
        measured.table[kept].reset_index(drop=True), measured.logits[kept], len(requested), errors, measured.provenance
    )
    return replace(method, table=requested, measured=few, content=f"{method.content} {sorted(clips)}")


def _of_pair(evaluation: Evaluation, method: Evaluated, published: Evaluated) -> Iterator[dict[str, Any]]:
    asked = [set(one.measured.table[list(_ASKED)].itertuples(index=False, name=None)) for one in (method, published)]
    common = {clip for clip, *_ in asked[0] & asked[1]}
    if not common:
        return
    why = _incomparable(method, published, common)
    if why:
        about = {"method": method.name, "asked": method.asked, "metric": "", "clips": len(common), "verdict": why}
        yield dict.fromkeys(COLUMNS, np.nan) | about
        return
    contents = [one.measured.table.set_index("clip").content for one in (method, published)]
    same = sum(contents[0][clip] == contents[1][clip] for clip in common)
    own, theirs = (evaluation.values([only(one, common)]).set_index("metric") for one in (method, published))
    for metric in theirs.index.intersection(own.index).drop(list(_NO_FIGURES), errors="ignore"):
        figure, value = theirs.loc[metric], float(own.value[metric])
        yield {
            "method": method.name,
            "asked": method.asked,
            "metric": metric,
            "clips": len(common),
            "same": same,
            "value": value,
            "published": figure.value,
            "low": figure.low,
            "high": figure.high,
            "flag": own.flag[metric],
            "verdict": REPRODUCED if _lies_in(value, figure) else DIFFERS,
        }


def _incomparable(method: Evaluated, published: Evaluated, common: set[str]) -> str:
    weights = [set(one.table[one.table["clip"].isin(common)].weights) for one in (method, published)]
    if weights[0] != weights[1]:
        return OTHER_WEIGHTS
    made_by = [one.measured.provenance for one in (method, published)]
    weights, networks = ([vars(one)[name] for one in made_by] for name in ("weights", "networks"))
    same = method.protocol == published.protocol and weights[0] == weights[1] and networks[0] == networks[1]
    return "" if same else OTHERWISE


def _lies_in(value: float, figure: pd.Series) -> bool:
    """In its interval; without one, next to the figure itself."""
    if np.isfinite(figure.low):
        return bool(figure.low <= value <= figure.high)
    return bool(np.isclose(value, figure.value, rtol=_EQUAL, atol=0, equal_nan=True))
