"""The best and the second best method by every metric of every table, and whether they can be told apart."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from metrics.scoring.metric import Metric
from metrics.scoring.summary import compare
from pipeline.evaluation.catalogue import METRICS
from pipeline.evaluation.comparisons import corrected
from pipeline.evaluation.sample import MethodSample

_PAIRED = ("pairs", "clusters", "difference", "low", "high", "p")
COLUMNS = ("table", "metric", "best", "second", *_PAIRED, "p_holm", "separated")
Tested = Callable[[Metric, MethodSample, MethodSample], dict[str, Any]]
_UNTESTED = dict.fromkeys(_PAIRED, float("nan")) | {"pairs": 0, "clusters": 0}


def members(methods: Sequence[MethodSample], further: Mapping[str, Sequence[str]]) -> dict[str, list[MethodSample]]:
    """The methods of each table: "prompts", those asked for prompts; "mixtures", all others; and `further` tables by
    the names of their methods."""
    by_name = {sample.method.name: sample for sample in methods}
    of_prompts = [sample for sample in methods if sample.method.asked == "prompts"]
    others = [sample for sample in methods if sample.method.asked != "prompts"]
    chosen = {table: [by_name[name] for name in names] for table, names in further.items()}
    return {"mixtures": others, "prompts": of_prompts} | chosen


def leaders(
    tables: Mapping[str, Sequence[MethodSample]], values: Mapping[tuple[str, str], float], tested: Tested
) -> list[dict[str, Any]]:
    """A row for each table and metric that has a direction and was measured of one of the table's methods.

    `separated`: the paired test, corrected for all metrics of the table, excludes 0 at the samples' confidence, and the
    difference is in favour of the best.

    Of equal values the first method's is the better. Where only one method was measured `second` is "". A metric whose
    bias depends on the number of clips, as FVD's does, ranks the methods of most clips alone.

    Args:
        tables: see `members`. values: by method and metric; NaN counts as not measured. tested: see `separation`.
    """
    rows = []
    for table, samples in tables.items():
        ranked = {name: _ranked(metric, samples, values) for name, metric in METRICS.items()}
        of_table = [{"table": table} | _row(METRICS[name], order, tested) for name, order in ranked.items() if order]
        rows += [row | {"separated": _separated(row, samples)} for row in corrected(of_table)]
    return rows


def _row(metric: Metric, ranked: Sequence[MethodSample], tested: Tested) -> dict[str, Any]:
    names = [*(sample.method.name for sample in ranked[:2]), ""]
    row = {"metric": metric.name, "best": names[0], "second": names[1]}
    return row | (tested(metric, *ranked[:2]) if len(ranked) > 1 else _UNTESTED)


def _separated(row: Mapping[str, Any], samples: Sequence[MethodSample]) -> bool:
    favours_best = (row["difference"] > 0) == METRICS[row["metric"]].higher_is_better
    return favours_best and row["p_holm"] < 1 - samples[0].uncertainty.confidence


def _ranked(
    metric: Metric, samples: Sequence[MethodSample], values: Mapping[tuple[str, str], float]
) -> list[MethodSample]:
    """The methods of which a metric was measured, the best first; none if it has no direction."""
    if metric.higher_is_better is None:
        return []

    def value(sample: MethodSample) -> float:
        return values.get((sample.method.name, metric.name), float("nan"))

    measured = [sample for sample in samples if value(sample) == value(sample)]
    if metric.clips:  # its bias depends on the number of clips: only those of most clips can be ranked
        most = max((sample.gen.scored for sample in measured), default=0)
        measured = [sample for sample in measured if sample.gen.scored == most]
    return sorted(measured, key=value, reverse=metric.higher_is_better)


def separation(metric: Metric, best: MethodSample, second: MethodSample) -> dict[str, Any]:
    """best - second on the clips that both have, as the columns from `pairs` to `p`.

    A metric without a comparison is not tested, nor are methods that share no clip (one, for a bootstrap): 0 pairs.
    """
    compared = compare(metric, best, second)
    if compared is None:
        return dict(_UNTESTED)
    row = compared.row(best.method.name, second.method.name)
    return {name: row[name] for name in _PAIRED}
