"""HARIVO beside its baseline over several trainings of each: differences whose intervals count seeds and prompts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from metrics.statistics.crossed import crossed_mean
from metrics.statistics.testing import holm
from pipeline.evaluation.attributes import judge_prompts
from pipeline.evaluation.evaluated import Evaluated
from pipeline.prompts.sets import Prompt
from pipeline.world.attributes import ATTRIBUTES, AVERAGE, HEADING

NAMES = (AVERAGE, *ATTRIBUTES, HEADING)
COLUMNS = (
    *("attribute", "seeds", "prompts", "baseline_mean", "baseline_sd", "candidate_mean", "candidate_sd"),
    *("difference", "low", "high", "between_seeds", "p", "p_holm"),
)

_PAIRS = 3  # the fewest
_NOTHING = pd.DataFrame(columns=list(COLUMNS))


def table(
    pairs: Sequence[tuple[Evaluated, Evaluated]], prompts: Mapping[str, Prompt], confidence: float
) -> pd.DataFrame:
    """A row for each attribute: its mean over trainings of the baseline and of the candidate, with the standard
    deviation of the trainings' means, and the candidate's difference for trainings and prompts like these; all of clips
    of the prompts that every training has, as shares.

    between_seeds: standard deviation of what a pair of trainings adds to the difference, beyond its prompts. p_holm: p,
    corrected for all attributes. No row for an attribute that could not be read of every clip; none at all for fewer
    than three pairs, whose intervals would be too short (see `crossed_mean`), or than two prompts that all have.

    Args:
        pairs: the baseline and the candidate, of one seed of training each.
    """
    if len(pairs) < _PAIRS:
        return _NOTHING.copy()
    shown = [[_by_prompt(one, prompts) for one in pair] for pair in pairs]
    common = sorted(set.intersection(*(set(own.index) for pair in shown for own in pair)))
    if len(common) < 2:
        return _NOTHING.copy()
    rows = [_row(name, *(np.stack([pair[i].loc[common, name] for pair in shown]) for i in (0, 1))) for name in NAMES]
    read = [row for row in rows if np.isfinite(row["values"]).all()]
    found = pd.DataFrame([row | _tested(row.pop("values"), confidence) for row in read], columns=list(COLUMNS))
    found["p_holm"] = holm(found.p.to_numpy(float))
    return found


def _by_prompt(one: Evaluated, prompts: Mapping[str, Prompt]) -> pd.DataFrame:
    judged = judge_prompts(one, prompts)
    if judged.empty:
        return pd.DataFrame(columns=list(NAMES))
    return judged.groupby("prompt_id")[list(NAMES)].mean().astype(float)


def _row(name: str, baseline: np.ndarray, candidate: np.ndarray) -> dict[str, Any]:
    """Of (seeds, prompts) each."""
    found: dict[str, Any] = {"attribute": name, "seeds": baseline.shape[0], "prompts": baseline.shape[1]}
    for key, values in (("baseline", baseline), ("candidate", candidate)):
        means = values.mean(axis=1)
        found |= {f"{key}_mean": float(means.mean()), f"{key}_sd": float(means.std(ddof=1))}
    return found | {"values": candidate - baseline}


def _tested(values: np.ndarray, confidence: float) -> dict[str, float]:
    crossed = crossed_mean(values)
    interval = crossed.interval(confidence)
    bounds = {"difference": interval.value, "low": interval.low, "high": interval.high}
    return bounds | {"between_seeds": crossed.rows, "p": crossed.p}
