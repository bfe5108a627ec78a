"""Two methods on the same prompts or mixtures, and noise: paired differences, and the tests between them.

Each p stands beside the one that Holm corrects for all tests of its family.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from metrics.scoring.summary import compare
from metrics.statistics.testing import holm
from pipeline.evaluation.attributes import attribute_test
from pipeline.evaluation.catalogue import METRICS
from pipeline.evaluation.mixtures import success_test
from pipeline.evaluation.sample import MethodSample

COLUMNS = (
    *("metric", "candidate", "baseline", "pairs", "clusters", "difference", "low", "high"),
    *("p", "p_holm", "flag"),
)
FAMILIES = {
    "differences": "all metrics of two methods",
    "success_tests": "all pairs of methods that are compared on mixtures",
    "attribute_tests": "all pairs of methods that are compared on prompts",
    "leaders": "all metrics of one table",
}
"""What p_holm is corrected for."""


def corrected(tests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tests of one family, each with `p_holm` beside its `p`."""
    adjusted = holm(np.array([test["p"] for test in tests], float))
    return [test | {"p_holm": float(p)} for test, p in zip(tests, adjusted, strict=True)]


def compared(candidate: MethodSample, baseline: MethodSample, names: Sequence[str]) -> dict[str, Any]:
    """`differences` of the named metrics; `success_test` and `attribute_test`, None where no shared clip has them."""
    return {
        "differences": differences(candidate, baseline, names),
        "success_test": success_test(candidate, baseline),
        "attribute_test": attribute_test(candidate, baseline),
    }


def differences(candidate: MethodSample, baseline: MethodSample, names: Sequence[str]) -> list[dict[str, Any]]:
    """candidate - baseline of each metric on the clips that both scored, by a paired bootstrap over prompts."""
    rows = []
    for metric in (METRICS[name] for name in names):
        paired = compare(metric, candidate, baseline)
        if paired is None:
            continue
        row = paired.row(candidate.method.name, baseline.method.name)
        rows.append({"metric": metric.name} | row | {"flag": paired.flag})
    return corrected(rows)
