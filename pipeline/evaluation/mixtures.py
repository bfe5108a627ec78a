"""The judge's verdict on every clip of a mixture, and the test between two methods' successes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from metrics.statistics.proportions import mcnemar
from pipeline.config.code import code_hash
from pipeline.evaluation.evaluated import Evaluated
from pipeline.evaluation.readings import COLUMNS as READINGS
from pipeline.evaluation.readings import readings_of
from pipeline.prompts.sets import Mixture, Prompt
from pipeline.world.mixtures import WorldMixture
from pipeline.world.scene import ATTRIBUTES, Names
from pipeline.world.verdicts import Verdict, verdict

COLUMNS = ("method", "mixture", "seed", "clip", "shared", "one_object", "success")


def world_mixture(mixture: Mixture, prompts: Mapping[str, Prompt]) -> WorldMixture:
    """The mixture with its parts' names, from the columns of the world's prompt file.

    Raises:
        ValueError: if a part lacks a name, as prompts of other sets do.
    """
    parts = []
    for part in mixture.parts:
        extra = prompts[part].extra
        missing = [attribute for attribute in ATTRIBUTES if attribute not in extra]
        if missing:
            raise ValueError(f"prompt {part}: no column {', '.join(missing)}: the judge knows the world's prompts only")
        parts.append(Names(**{attribute: extra[attribute] for attribute in ATTRIBUTES}))
    return WorldMixture(mixture.name, tuple(parts), tuple(mixture.extra["attributes"].split()))


def judge_mixtures(
    method: Evaluated, mixtures: Sequence[Mixture], prompts: Mapping[str, Prompt]
) -> list[dict[str, Any]]:
    """The verdict on every requested clip of every mixture, a row each; a clip that was not scored is no success."""
    table = method.table[["mixture", "seed", "clip", "scored", *READINGS]]
    by_mixture = dict(iter(table.groupby("mixture", sort=False)))
    judged = (mixture for mixture in mixtures if mixture.id in by_mixture)
    return [{"method": method.name, **row} for mixture in judged
            for row in _judge(by_mixture[mixture.id], world_mixture(mixture, prompts))]  # fmt: skip


def _judge(own: pd.DataFrame, mixture: WorldMixture) -> Iterator[dict[str, Any]]:
    """The verdict on clips of one mixture, a row each."""
    found = verdict(mixture, readings_of(own))
    for i, clip in enumerate(own[["mixture", "seed", "clip", "scored"]].to_dict("records")):
        scored = bool(clip.pop("scored"))
        yield clip | _row(found, i, scored)


def _row(found: Verdict, i: int, scored: bool) -> dict[str, Any]:
    """Clip i: the share of each part a, b, c, whether it is present, and what the verdict rests on."""
    row: dict[str, Any] = {}
    for part, share, present in zip("abc", found.shares[i], found.present[i], strict=False):
        row |= {f"share_{part}": share, f"present_{part}": bool(present and scored)}
    return row | {name: bool(getattr(found, name)[i] and scored) for name in ("shared", "one_object", "success")}


def compare_successes(verdicts: pd.DataFrame, candidate: str, baseline: str) -> dict[str, Any] | None:
    """McNemar's exact test of two methods' successes on the same mixtures and seeds; None if they share none."""
    if not len(verdicts):
        return None
    table = verdicts.pivot_table(index=["mixture", "seed"], columns="method", values="success", aggfunc="first")
    pairs = table.reindex(columns=[candidate, baseline]).dropna().astype(bool)
    if not len(pairs):
        return None
    result = mcnemar(pairs[candidate].to_numpy(), pairs[baseline].to_numpy())
    return {
        "candidate": candidate,
        "baseline": baseline,
        "pairs": len(pairs),
        "only_candidate": result.only_first,
        "only_baseline": result.only_second,
        "p": result.p,
    }


def success_protocol(confidence: float) -> dict[str, Any]:
    """What is behind a success rate: the code of the judge and of its verdicts is the protocol."""
    code = code_hash("pipeline.world.verdicts")
    return {"name": "judge", "code": code, "interval": f"Wilson {confidence:g}", "denominator": "requested"}
