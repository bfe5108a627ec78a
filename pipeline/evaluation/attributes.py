"""HARIVO's attributes of every clip that was made from a prompt of the world, and the test between two methods."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from metrics.scoring.metric import Comparison, Estimate
from metrics.statistics.bootstrap import Interval, mean_interval
from metrics.statistics.clusters import clustered_rate
from pipeline.config.code import code_hash
from pipeline.evaluation.evaluated import Evaluated
from pipeline.evaluation.pairs import Paired, compare_outcomes, side_by_side
from pipeline.evaluation.readings import readings_of
from pipeline.evaluation.sample import MethodSample
from pipeline.prompts.sets import Prompt
from pipeline.world.attributes import ATTRIBUTES, AVERAGE, HEADING, attributes
from pipeline.world.scene import ATTRIBUTES as NAMED
from pipeline.world.scene import Names

COLUMNS = ("method", "prompt_id", "seed", "clip", *ATTRIBUTES, AVERAGE, HEADING)


def judge_prompts(method: Evaluated, prompts: Mapping[str, Prompt]) -> pd.DataFrame:
    """A row for every requested clip whose prompt states the world's names: the four attributes (bool), their
    average, and the heading (bool; NaN where an earlier judge did not read it). A clip that was not scored has none of
    them; a method none of whose clips has the size that the judge knows has no rows."""
    named = [bool(p) and set(NAMED) <= set(prompts[p].extra) for p in method.table.prompt_id]
    own = method.table[named]
    if not own.objects.notna().any():
        return pd.DataFrame(columns=list(COLUMNS))
    names = [Names(**{key: prompts[p].extra[key] for key in NAMED}) for p in own.prompt_id]
    seen = attributes(names, own.caption.tolist(), readings_of(own))
    scored = own.scored.to_numpy(bool)
    values = {name: getattr(seen, name) & scored for name in ATTRIBUTES}
    values[AVERAGE] = np.mean(list(values.values()), axis=0)
    values[HEADING] = seen.heading & scored if "heading_x" in own else np.nan
    return own[["prompt_id", "seed", "clip"]].assign(method=method.name, **values)[list(COLUMNS)]


def rate(name: str, sample: MethodSample) -> Estimate | None:
    """Share of a method's clips with an attribute, with an interval that counts prompts; None if no clip was judged by
    it."""
    judged, confidence = sample.judged, sample.uncertainty.confidence
    if not len(judged) or judged[name].isna().any():
        return None
    share = clustered_rate(judged[name].to_numpy(bool), sample.clusters(judged), confidence)
    return Estimate(Interval(share.value, share.low, share.high), choices=_choices(name, sample.wilson))


def average(sample: MethodSample) -> Estimate | None:
    """Mean over clips of the attributes' average, with a bootstrap interval; None if no clip was judged."""
    if not len(sample.judged):
        return None
    values, clusters = sample.judged[AVERAGE].to_numpy(float), sample.clusters(sample.judged)
    interval = mean_interval(values, sample.uncertainty, clusters=clusters)
    return Estimate(interval, choices=_choices(AVERAGE, sample.bootstrap))


def _choices(name: str, interval: str) -> dict[str, Any]:
    """What is behind a share of clips with an attribute, or their average."""
    code = code_hash("pipeline.world.attributes")
    return {"name": f"attribute: {name}", "code": code, "interval": interval, "denominator": "requested"}


def compare(name: str, first: MethodSample, second: MethodSample) -> Comparison | None:
    """Difference of the shares on the same prompts and noise, with the p of flipping whole prompts; None if the methods
    share no clip."""
    return compare_outcomes(first, second, "judged", name)


def compare_average(first: MethodSample, second: MethodSample) -> Comparison | None:
    """Difference of the averages on the same prompts and noise: mean with its interval, and the two-sided p of flipping
    the signs of whole prompts. None if the methods share no clip."""
    tested = _tested_average(first, second)
    return tested[0] if tested else None


def attribute_test(candidate: MethodSample, baseline: MethodSample) -> dict[str, Any] | None:
    """`compare_average` as evaluation.json has it, with the pairs in which the candidate is better, and worse."""
    tested = _tested_average(candidate, baseline)
    if tested is None:
        return None
    comparison, paired = tested
    return comparison.row(candidate.method.name, baseline.method.name) | {
        "better": int((paired.difference > 0).sum()),
        "worse": int((paired.difference < 0).sum()),
    }


def _tested_average(first: MethodSample, second: MethodSample) -> tuple[Comparison, Paired] | None:
    """The comparison, and what it rests on."""
    paired = side_by_side(first, second, "judged", AVERAGE)
    if paired is None:
        return None
    own = first.uncertainty
    difference = mean_interval(paired.difference, own, clusters=paired.clusters)
    clusters = len(pd.unique(paired.clusters))
    return Comparison(difference, len(paired.first), paired.p(own.seed), clusters), paired
