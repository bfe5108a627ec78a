"""What was run and what came out, on two screens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.evaluation.catalogue import METRICS
from pipeline.report import metric_tables, plots, published
from pipeline.report.formatting import of_clusters, p_value
from pipeline.report.metric_tables import FEW, INTERVALS, cell_text
from pipeline.report.opening import first_lines, sizes
from pipeline.report.page import Content, Page
from pipeline.report.pages.mixtures import card
from pipeline.report.results import Results
from pipeline.report.strips import Card
from pipeline.world.attributes import AVERAGE

_FVD = "fvd"
_AVERAGE = "Average: mean of HARIVO's four attributes (content, action, smooth, not weird)."


@dataclass(frozen=True)
class Tile:
    """One main number: a candidate's value of a metric beside its baseline's. test: what comparing both says. here:
    this run's value, where the numbers are published ones. size: of the models of both."""

    title: str
    metric: str
    value: str
    interval: str
    baseline: str
    test: str
    page: str
    here: str = ""
    size: str = ""


def build(results: Results) -> Content:
    """A tile for each comparison, the main rates as plots, and one mixture along its strip.

    The numbers of methods and comparisons that are published are the published ones, with the run's beside them.
    """
    sources, rows = _sources(results), _rows(results)
    tiles = [tile for tiles in (_successes, _averages, _differences) for own in sources for tile in tiles(own)]
    figures = {}
    for name, methods, title in (
        ("success_rate", rows, "clips that show the mixture"),
        (AVERAGE, rows[rows.asked == "prompts"], "average of the four attributes"),
    ):
        if name in set(methods.metric):
            figures[name.replace("_", "-")] = plots.rates(methods, name, title)
    context = {
        **first_lines(results),
        "tiles": tiles,
        "published": published.background(results),
        "remarks": _remarks(results.full_size or results),
    }
    return Content(context, plots=figures, clips={"strip": _strip(results)}, missing=_missing(results, tiles))


def _missing(results: Results, tiles: Sequence[Tile]) -> list[str]:
    if tiles:
        return []
    if not results.params.evaluate.comparisons:
        return ["No two methods of this run were compared (evaluate.comparisons)."]
    return ["No metric of this run compares the methods of evaluate.comparisons."]


def _sources(results: Results) -> list[Results]:
    """Where the numbers of a comparison are from: the published figures where they hold both methods, else the run."""
    whole = results.full_size
    if whole is None:
        return [results]
    wanted, known = {_pair(one.model_dump()) for one in results.params.evaluate.comparisons}, set(whole.metrics.method)
    published = {pair for pair in wanted if set(pair) <= known}
    return [_of_pairs(whole, published), _of_pairs(results, wanted - published)]


def _of_pairs(results: Results, pairs: set[tuple[str, str]]) -> Results:
    """The same with these comparisons alone."""
    tests = {
        kind: [test for test in results.evaluation[kind] if _pair(test) in pairs]
        for kind in ("success_tests", "attribute_tests")
    }
    paired = results.comparisons["differences"]
    kept = paired[np.array([_pair(row) in pairs for row in paired.to_dict("records")], bool)]
    comparisons = {**results.comparisons, "differences": kept}
    return replace(results, evaluation={**results.evaluation, **tests}, comparisons=comparisons)


def _pair(of: Mapping[str, Any]) -> tuple[str, str]:
    return of["candidate"], of["baseline"]


def _rows(results: Results) -> pd.DataFrame:
    """Published metrics, and this run's of the methods that have none."""
    whole = results.full_size
    if whole is None:
        return results.metrics
    own = results.metrics[~results.metrics.method.isin(whole.metrics.method)]
    return pd.concat([whole.metrics, own.assign(method=own.method + " (this run)")], ignore_index=True)


def _successes(results: Results) -> list[Tile]:
    """RichSpace's claim: shares of clips that show the mixture, with the test that flips whole mixtures."""
    return [
        _tile(
            results,
            "success_rate",
            test,
            "paper_richspace.html",
            f"{of_clusters(test, 'mixtures')}: {test['only_candidate']} shown by {test['candidate']} alone, "
            f"{test['only_baseline']} by {test['baseline']} alone; {p_value(test['p_holm'])}.",
        )
        for test in results.evaluation["success_tests"]
    ]


def _averages(results: Results) -> list[Tile]:
    """HARIVO's claim, and of other methods asked for prompts: the average of the four attributes, with the test
    that flips whole prompts."""
    return [
        _tile(
            results,
            AVERAGE,
            test,
            _page_of(results, test["candidate"]),
            f"{_difference(AVERAGE, test, ' points')}; {p_value(test['p_holm'])}.",
        )
        for test in results.evaluation["attribute_tests"]
    ]


def _page_of(results: Results, candidate: str) -> str:
    """Where the methods of a paper stand; all of them stand under Methods."""
    if candidate == results.params.make_a_video.method:
        return "paper_make_a_video.html"
    return "paper_harivo.html" if candidate in results.params.harivo.ablation.values() else "methods.html"


def _differences(results: Results) -> list[Tile]:
    """The paired difference of each pair: of FVD, or of another metric where nothing else compares them."""
    paired, metric = results.comparisons["differences"], _differing(results)
    rows = paired[paired.metric == metric].to_dict("records")
    tests = [f"{_difference(metric, row, '')}; {p_value(row['p_holm'])}{_flag(row)}." for row in rows]
    return [_tile(results, metric, row, "methods.html", test) for row, test in zip(rows, tests, strict=True)]


def _differing(results: Results) -> str:
    """The metric whose differences have tiles: FVD; without it and without a judge, the first that was compared."""
    compared = metric_tables.present(results.comparisons["differences"])
    judged = results.evaluation["success_tests"] or results.evaluation["attribute_tests"]
    return _FVD if _FVD in compared or judged or not compared else compared[0]


def _remarks(results: Results) -> str:
    """What stands below the tiles."""
    intervals = INTERVALS.format(100 * results.params.evaluate.confidence)
    paired = results.comparisons["differences"]
    flagged = ((paired.metric == _FVD) & (paired.flag != "")).any()
    harivo = results.params.harivo
    outdated = harivo.remark if harivo.not_compared & results.judged else None
    average = _AVERAGE if results.evaluation["attribute_tests"] else ""
    said = [average, intervals, _tests(results), FEW if flagged else "", outdated and f"HARIVO: {outdated}"]
    return " ".join(filter(None, said))


def _tests(results: Results) -> str:
    """What p is, and of which families; nothing where nothing was tested."""
    metric, paired = _differing(results), results.comparisons["differences"]
    tested = {
        ("success_tests", "mixtures shown"): bool(results.evaluation["success_tests"]),
        ("attribute_tests", "averages"): bool(results.evaluation["attribute_tests"]),
        ("differences", METRICS[metric].label): metric in set(paired.metric),
    }
    families = "; ".join(f"{name}: {results.family(kind)}" for (kind, name), here in tested.items() if here)
    apart = " (for FVD from the interval)" if _FVD in set(paired.metric) else ""
    how = f"p: from a sign-flip test over whole {results.drawn}{apart}"
    return f"{how}, corrected by Holm for its family ({families})." if families else ""


def _tile(results: Results, metric: str, pair: dict[str, Any], page: str, test: str) -> Tile:
    """The candidate's number with its interval, and the baseline's."""
    record = METRICS[metric]
    candidate, baseline = (_values(results, metric, pair[name]) for name in ("candidate", "baseline"))
    interval = record.range(candidate.low, candidate.high)
    theirs = f"{pair['baseline']}: {record.cell(baseline.value, baseline.low, baseline.high)}"
    title, here = f"{pair['candidate']} against {pair['baseline']}", published.said(results, metric, pair["candidate"])
    size = sizes(results, (pair["candidate"], pair["baseline"]))
    return Tile(title, record.title, record.number(candidate.value), interval, theirs, test, page, here, size)


def _values(results: Results, metric: str, method: str) -> pd.Series:
    own = results.metrics[(results.metrics.method == method) & (results.metrics.metric == metric)]
    return own.iloc[0]


def _difference(metric: str, pair: dict[str, Any], unit: str) -> str:
    text = cell_text(metric, pair["difference"], pair["low"], pair["high"])
    return f"Difference on {pair['pairs']} pairs: {text}{unit}"


def _flag(pair: dict[str, Any]) -> str:
    return f"; {pair['flag']}" if pair["flag"] else ""


def _strip(results: Results) -> list[Card]:
    """A mixture that a candidate of the comparisons showed and its baseline did not; else the first."""
    shown = [mixture for mixture in results.generated if results.optimum(mixture) is not None]
    first = results.verdicts[results.verdicts.seed == 0]
    for test in results.evaluation["success_tests"]:
        by_method = first.pivot_table(index="mixture", columns="method", values="success", aggfunc="first")
        pair = by_method.reindex(columns=[test["candidate"], test["baseline"]]).fillna(False).astype(bool)
        better = pair[pair.iloc[:, 0] & ~pair.iloc[:, 1]].index
        shown.sort(key=lambda mixture: mixture.id not in better)
        break
    return [card(results, mixture) for mixture in shown[:1]]


PAGE = Page("index", "Overview", "What was run, and what came out.", build)
