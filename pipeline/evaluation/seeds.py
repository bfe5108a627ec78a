"""Every metric by the sampling seed, as papers print it: mean ± standard deviation, and the best of three seeds."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from metrics.statistics.seeds import over_seeds
from pipeline.evaluation.catalogue import METRICS, PARAMETERS, SPEED
from pipeline.evaluation.sample import MethodSample
from pipeline.evaluation.values import evaluate

VALUE_COLUMNS = ("method", "metric", "seed", "clips", "value", "flag")
COLUMNS = ("method", "metric", "clips", "seeds", "mean", "sd", "best_value", "best_of", "flag")
_NOT_SAMPLED = (SPEED.name, PARAMETERS.name)


def by_seed(sample: MethodSample, names: Sequence[str]) -> list[dict[str, Any]]:
    """The value of each metric on each seed's clips alone, a row each; `clips` were asked for."""
    seeds = sorted(sample.method.table.seed.dropna().unique()) if "seed" in sample.method.table else []
    return [row for seed in seeds for row in _of_seed(sample, names, seed)]


def _of_seed(sample: MethodSample, names: Sequence[str], seed: int) -> Iterator[dict[str, Any]]:
    own = _only(sample, seed)
    about = {"method": own.method.name, "seed": int(seed), "clips": len(own.method.table)}
    for value in evaluate(own, names):
        if value.metric not in _NOT_SAMPLED and value.interval.value == value.interval.value:
            yield about | {"metric": value.metric, "value": value.interval.value, "flag": value.flag}


def _only(sample: MethodSample, seed: int) -> MethodSample:
    """The clips of one seed, without intervals."""

    def kept(table: pd.DataFrame) -> pd.DataFrame:
        return table[table.seed == seed].reset_index(drop=True) if len(table) else table

    rows = (sample.gen.table.seed == seed).to_numpy()
    gen = replace(sample.gen, table=kept(sample.gen.table), logits=sample.gen.logits[rows])
    method = replace(sample.method, table=kept(sample.method.table), measured=gen)
    how = replace(sample.uncertainty, resamples=0)
    tables = {"verdicts": kept(sample.verdicts), "judged": kept(sample.judged)}
    return replace(sample, gen=gen, method=method, uncertainty=how, **tables)


def summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each method and metric: mean and standard deviation (n - 1) over seeds; `best_value` of the first
    `best_of` seeds (metrics.statistics.seeds); `clips` of the smallest seed."""
    table = pd.DataFrame(rows, columns=list(VALUE_COLUMNS))
    return [_summary(str(m), str(name), own) for (m, name), own in table.groupby(["method", "metric"], sort=False)]


def _summary(method: str, metric: str, own: pd.DataFrame) -> dict[str, Any]:
    found = over_seeds(own.value, METRICS[metric].higher_is_better)
    fewest = own.sort_values("clips", kind="stable").iloc[0]
    numbers = {"clips": int(fewest.clips), "seeds": found.n, "mean": found.mean, "sd": found.sd}
    numbers |= {"best_value": found.best, "best_of": found.best_of}
    return {"method": method, "metric": metric} | numbers | {"flag": fewest.flag}
