"""HARIVO's attributes of every clip that was made from a prompt of the world, and the test between two methods."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from metrics.statistics.bootstrap import Interval, Uncertainty, mean_interval
from metrics.statistics.proportions import wilson
from pipeline.config.code import code_hash
from pipeline.evaluation.evaluated import Evaluated
from pipeline.evaluation.readings import readings_of
from pipeline.prompts.sets import Prompt
from pipeline.world.attributes import ATTRIBUTES, AVERAGE, attributes
from pipeline.world.scene import ATTRIBUTES as NAMED
from pipeline.world.scene import Names

COLUMNS = ("method", "prompt_id", "seed", "clip", *ATTRIBUTES, AVERAGE)
_FLIPS = 9999


def judge_prompts(method: Evaluated, prompts: Mapping[str, Prompt]) -> pd.DataFrame:
    """A row for every requested clip whose prompt states the world's names: the four attributes (bool) and their
    average. A clip that was not scored has none of them; a method none of whose clips has the size that the judge knows
    has no rows."""
    named = [bool(p) and set(NAMED) <= set(prompts[p].extra) for p in method.table.prompt_id]
    own = method.table[named]
    if not own.objects.notna().any():
        return pd.DataFrame(columns=list(COLUMNS))
    names = [Names(**{key: prompts[p].extra[key] for key in NAMED}) for p in own.prompt_id]
    found = attributes(names, own.caption.tolist(), readings_of(own))
    scored = own.scored.to_numpy(bool)
    values = {name: getattr(found, name) & scored for name in ATTRIBUTES}
    values[AVERAGE] = np.mean(list(values.values()), axis=0)
    return own[["prompt_id", "seed", "clip"]].assign(method=method.name, **values)[list(COLUMNS)]


def attribute_intervals(own: pd.DataFrame, how: Uncertainty) -> dict[str, Interval]:
    """Share of one method's clips with each attribute (Wilson's interval), and the average's mean (bootstrap)."""
    rates = {name: wilson(int(own[name].sum()), len(own), how.confidence) for name in ATTRIBUTES}
    shares = {name: Interval(rate.value, rate.low, rate.high) for name, rate in rates.items()}
    return shares | {AVERAGE: mean_interval(own[AVERAGE].to_numpy(float), how)}


def compare_averages(judged: pd.DataFrame, candidate: str, baseline: str, how: Uncertainty) -> dict[str, Any] | None:
    """candidate - baseline of the average, on the same prompts and noise: mean with its interval, and the two-sided p
    of a paired permutation test (signs flipped at random). None if the methods share no clip."""
    table = judged.pivot_table(index=["prompt_id", "seed"], columns="method", values=AVERAGE, aggfunc="first")
    pairs = table.reindex(columns=[candidate, baseline]).dropna().astype(float)
    if not len(pairs):
        return None
    difference = (pairs[candidate] - pairs[baseline]).to_numpy()
    test = stats.permutation_test(
        (difference,), np.mean, permutation_type="samples", n_resamples=_FLIPS, rng=np.random.default_rng(how.seed)
    )
    interval = mean_interval(difference, how)
    return {
        "candidate": candidate,
        "baseline": baseline,
        "pairs": len(pairs),
        "better": int((difference > 0).sum()),
        "worse": int((difference < 0).sum()),
        "difference": interval.value,
        "low": interval.low,
        "high": interval.high,
        "p": float(test.pvalue),
    }


def attribute_protocol(name: str, how: Uncertainty) -> dict[str, Any]:
    """What is behind a share of clips with an attribute, or their average."""
    bootstrap = f"bootstrap {how.confidence:g}, {how.resamples} resamples, seed {how.seed}"
    interval = bootstrap if name == AVERAGE else f"Wilson {how.confidence:g}"
    code = code_hash("pipeline.world.attributes")
    return {"name": f"attribute: {name}", "code": code, "interval": interval, "denominator": "requested"}
