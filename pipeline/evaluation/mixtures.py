"""The judge's verdict on every clip of a mixture, and the test between two methods' successes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from metrics.scoring.metric import Comparison, Estimate
from metrics.statistics.bootstrap import Interval
from metrics.statistics.clusters import clustered_rate
from pipeline.config.code import code_hash
from pipeline.evaluation.evaluated import Evaluated
from pipeline.evaluation.labels import FLAG
from pipeline.evaluation.naming import world_mixture
from pipeline.evaluation.pairs import compare_outcomes, compared_outcomes, side_by_side
from pipeline.evaluation.readings import COLUMNS as READINGS
from pipeline.evaluation.readings import readings_of
from pipeline.evaluation.sample import MethodSample
from pipeline.prompts.sets import Mixture, Prompt
from pipeline.world.mixtures import WorldMixture
from pipeline.world.verdicts import Verdict, verdict

COLUMNS = ("method", "mixture", "seed", "clip", "shared", "one_object", "success")


def judge_mixtures(
    method: Evaluated, mixtures: Sequence[Mixture], prompts: Mapping[str, Prompt]
) -> list[dict[str, Any]]:
    """The verdict on every requested clip of every mixture, a row each; a clip that was not scored is no success."""
    table = method.table[["mixture", "seed", "clip", "scored", *READINGS]]
    by_mixture = dict(iter(table.groupby("mixture", sort=False)))
    judged = (mixture for mixture in mixtures if mixture.id in by_mixture)
    return [
        {"method": method.name, **row}
        for mixture in judged
        for row in _judge(by_mixture[mixture.id], world_mixture(mixture, prompts))
    ]


def _judge(own: pd.DataFrame, mixture: WorldMixture) -> Iterator[dict[str, Any]]:
    """The verdict on clips of one mixture, a row each."""
    judged = verdict(mixture, readings_of(own))
    for i, clip in enumerate(own[["mixture", "seed", "clip", "scored"]].to_dict("records")):
        scored = bool(clip.pop("scored"))
        yield clip | _row(judged, i, scored)


def _row(judged: Verdict, i: int, scored: bool) -> dict[str, Any]:
    """Clip i: the share of each part a, b, c, whether it is present, and what the verdict rests on."""
    row: dict[str, Any] = {}
    for part, share, present in zip("abc", judged.shares[i], judged.present[i], strict=False):
        row |= {f"share_{part}": share, f"present_{part}": bool(present and scored)}
    return row | {name: bool(getattr(judged, name)[i] and scored) for name in ("shared", "one_object", "success")}


def success_rate(sample: MethodSample) -> Estimate | None:
    """Share of requested clips that show their mixture, with an interval that counts mixtures; None if no clip is of a
    mixture."""
    if not len(sample.verdicts):
        return None
    shown, confidence = sample.verdicts.success.to_numpy(bool), sample.uncertainty.confidence
    share = clustered_rate(shown, sample.clusters(sample.verdicts), confidence)
    flag = FLAG if "by" in sample.verdicts else ""
    return Estimate(Interval(share.value, share.low, share.high), flag, choices=_choices(sample))


def _choices(sample: MethodSample) -> dict[str, Any]:
    """What is behind a success rate: the file of labels, or the code of the judge and of its verdicts."""
    by = {"name": "labels", "by": sample.verdicts.by.iloc[0]} if "by" in sample.verdicts else {}
    by = by or {"name": "judge", "code": code_hash("pipeline.world.verdicts")}
    return {**by, "interval": sample.wilson, "denominator": "requested"}


def compare(first: MethodSample, second: MethodSample) -> Comparison | None:
    """Difference of the success rates on the same mixtures and seeds, with the p of flipping whole mixtures; None if
    they share none."""
    return compare_outcomes(first, second, "verdicts", "success")


def success_test(candidate: MethodSample, baseline: MethodSample) -> dict[str, Any] | None:
    """`compare` as evaluation.json has it, with the clips that one method alone shows, and the clusters (mixtures) of
    which the candidate shows more, and fewer."""
    paired = side_by_side(candidate, baseline, "verdicts", "success")
    if paired is None:
        return None
    return compared_outcomes(paired, candidate).row(candidate.method.name, baseline.method.name) | {
        "only_candidate": int((paired.difference > 0).sum()),
        "only_baseline": int((paired.difference < 0).sum()),
        "clusters_better": int((paired.by_cluster > 0).sum()),
        "clusters_worse": int((paired.by_cluster < 0).sum()),
    }
