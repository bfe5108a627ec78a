"""Two methods on the same prompts or mixtures, and noise: paired differences, and the tests between them."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from metrics.scoring.measured import Measured
from metrics.scoring.summary import DIFFERENCES, difference, few_clips
from metrics.statistics.bootstrap import Uncertainty
from pipeline.evaluation.attributes import compare_averages
from pipeline.evaluation.evaluated import Evaluated
from pipeline.evaluation.mixtures import compare_successes

COLUMNS = ("metric", "candidate", "baseline", "pairs", "difference", "low", "high", "flag")


def compare(
    candidate: Evaluated, baseline: Evaluated, reference: Measured, verdicts: pd.DataFrame, judged: pd.DataFrame,
    names: Sequence[str], how: Uncertainty,
) -> dict[str, Any]:  # fmt: skip
    """`differences`; `success_test` and `attribute_test`, None where the methods share no clip that has them.

    Args:
        verdicts: of both, see `mixtures.judge_mixtures`. judged: of both, see `attributes.judge_prompts`.
    """
    pair = candidate.name, baseline.name
    return {
        "differences": differences(candidate, baseline, reference, names, how),
        "success_test": compare_successes(verdicts, *pair),
        "attribute_test": compare_averages(judged, *pair, how) if len(judged) else None,
    }


def differences(
    candidate: Evaluated, baseline: Evaluated, reference: Measured, names: Sequence[str], how: Uncertainty
) -> list[dict[str, Any]]:
    """candidate - baseline of each metric on the clips that both scored, by a paired bootstrap."""
    rows = []
    for name in (name for name in names if name in DIFFERENCES):
        sides = candidate.measured, baseline.measured
        found, pairs = difference(name, *sides, reference, candidate.protocol, how)
        if pairs > 1:
            flag = few_clips(pairs, reference.scored) if name == "fvd" else ""
            rows.append({"metric": name, "candidate": candidate.name, "baseline": baseline.name, "pairs": pairs,
                         "difference": found.value, "low": found.low, "high": found.high, "flag": flag})  # fmt: skip
    return rows
