"""Two methods on the same prompts or mixtures, and noise: paired differences, and the tests between them."""

from collections.abc import Sequence
from typing import Any

from metrics.scoring.summary import compare
from pipeline.evaluation.attributes import attribute_test
from pipeline.evaluation.catalogue import METRICS
from pipeline.evaluation.mixtures import success_test
from pipeline.evaluation.sample import MethodSample

COLUMNS = ("metric", "candidate", "baseline", "pairs", "difference", "low", "high", "flag")


def compared(candidate: MethodSample, baseline: MethodSample, names: Sequence[str]) -> dict[str, Any]:
    """`differences` of the named metrics; `success_test` and `attribute_test`, None where no shared clip has them."""
    return {
        "differences": differences(candidate, baseline, names),
        "success_test": success_test(candidate, baseline),
        "attribute_test": attribute_test(candidate, baseline),
    }


def differences(candidate: MethodSample, baseline: MethodSample, names: Sequence[str]) -> list[dict[str, Any]]:
    """candidate - baseline of each metric on the clips that both scored, by a paired bootstrap."""
    rows = []
    for metric in (METRICS[name] for name in names):
        paired = compare(metric, candidate, baseline)
        if paired is None:
            continue
        rows.append(
            {
                "metric": metric.name,
                "candidate": candidate.method.name,
                "baseline": baseline.method.name,
                "pairs": paired.pairs,
                "difference": paired.difference.value,
                "low": paired.difference.low,
                "high": paired.difference.high,
                "flag": paired.flag,
            }
        )
    return rows
