"""What was run and what came out, on two screens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.config import paths
from pipeline.evaluation.catalogue import METRICS, PARAMETERS
from pipeline.report import plots, published
from pipeline.report.formatting import fixed, of_clusters, p_value
from pipeline.report.metric_tables import FEW, INTERVALS, cell_text
from pipeline.report.page import Content, Page
from pipeline.report.pages.mixtures import card
from pipeline.report.results import Results
from pipeline.report.run import Made, made
from pipeline.report.strips import Card
from pipeline.world.attributes import AVERAGE
from pipeline.world.scene import FRAMES, HEIGHT, WIDTH

_FVD = "fvd"
_TRANSFORMER = "cogvideox"  # a family of models
WORLD = "world"  # the prompt set of the toy world
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
    everything, sources, rows = made(results.params), _sources(results), _rows(results)
    tiles = [tile for tiles in (_successes, _averages, _distances) for own in sources for tile in tiles(own)]
    figures = {}
    for name, methods, title in (
        ("success_rate", rows, "clips that show the mixture"),
        (AVERAGE, rows[rows.asked == "prompts"], "average of the four attributes"),
    ):
        if name in set(methods.metric):
            figures[name.replace("_", "-")] = plots.rates(methods, name, title)
    missing = [] if tiles else ["No two methods of this run were compared (evaluate.comparisons)."]
    context = {
        "tiles": tiles,
        "counts": _counts(results, everything),
        "world": {"frames": FRAMES, "height": HEIGHT, "width": WIDTH} if _is_toy_world(results) else None,
        "published": published.background(results),
        "remarks": _remarks(results.full_size or results),
    }
    return Content(context, plots=figures, clips={"strip": _strip(results)}, missing=missing)


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


def _counts(results: Results, everything: Sequence[Made]) -> dict[str, Any]:
    """Methods, their clips, mixtures and prompts that clips were asked for; millions of parameters of the smallest and
    the largest model, and of CogVideoX, None where no method samples one."""
    sizes = results.metrics[results.metrics.metric == PARAMETERS.name].set_index("method").value / 1e6
    generate = results.params.generate
    transformers = [name for name, one in generate.methods.items() if generate.models[one.model].family == _TRANSFORMER]
    own = sizes[sizes.index.isin(transformers)]
    return {
        "least": fixed(sizes.min(), 1),
        "most": fixed(sizes.max(), 1),
        "transformer": fixed(own.max(), 1) if len(own) else None,
        "methods": len(everything),
        "clips": sum(one.requested for one in everything),
        "failed": sum(one.failed for one in everything),
        "mixtures": results.verdicts.mixture.nunique(),
        "evaluated": results.metrics.method.nunique(),
    }


def _is_toy_world(results: Results) -> bool:
    """Whether all methods have its prompts and models, and no videos of others are evaluated."""
    generate = results.params.generate
    methods = [method for method in generate.methods.values() if method.evaluate]
    checkpoints = [Path(generate.models[method.model].checkpoint) for method in methods]
    ours = all(checkpoint.is_relative_to(paths.WORLD_MODELS) for checkpoint in checkpoints)
    others = any(entry.evaluate for entry in generate.external.values())
    return ours and not others and {generate.set_of(method) for method in methods} == {WORLD}


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


def _distances(results: Results) -> list[Tile]:
    """FVD of each pair, with the paired difference."""
    paired = results.comparisons["differences"]
    rows = paired[paired.metric == _FVD].to_dict("records")
    tests = [f"{_difference(_FVD, row, '')}; {p_value(row['p_holm'])}{_flag(row)}." for row in rows]
    return [_tile(results, _FVD, row, "methods.html", test) for row, test in zip(rows, tests, strict=True)]


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
    """What p is, and of which family."""
    kinds = {"success_tests": "mixtures shown", "attribute_tests": "averages", "differences": "FVD"}
    families = "; ".join(f"{name}: {results.family(kind)}" for kind, name in kinds.items())
    how = f"p: from a sign-flip test over whole {results.drawn} (for FVD from the interval)"
    return f"{how}, corrected by Holm for its family ({families})."


def _tile(results: Results, metric: str, pair: dict[str, Any], page: str, test: str) -> Tile:
    """The candidate's number with its interval, and the baseline's."""
    record = METRICS[metric]
    candidate, baseline = (_values(results, metric, pair[name]) for name in ("candidate", "baseline"))
    interval = record.range(candidate.low, candidate.high)
    theirs = f"{pair['baseline']}: {record.cell(baseline.value, baseline.low, baseline.high)}"
    title, here = f"{pair['candidate']} against {pair['baseline']}", published.said(results, metric, pair["candidate"])
    sizes = _sizes(results, pair["candidate"], pair["baseline"])
    return Tile(title, record.title, record.number(candidate.value), interval, theirs, test, page, here, sizes)


def _sizes(results: Results, *methods: str) -> str:
    """`3.7 M parameters`, or `7.5 and 1.8 M parameters` of two methods on different models; nothing if not known."""
    of = results.metrics[results.metrics.metric == PARAMETERS.name].set_index("method").value
    texts = dict.fromkeys(fixed(of[method] / 1e6, 1) for method in methods if method in of.index)
    return f"{' and '.join(texts)} M parameters" if texts else ""


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
