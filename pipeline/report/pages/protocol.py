"""What was run, with which weights and libraries, and every choice behind a number."""

import re
from collections.abc import Mapping
from typing import Any

from metrics.digests import SHOWN
from pipeline.evaluation.catalogue import METRICS
from pipeline.report.metric_tables import fingerprints
from pipeline.report.page import Content, Page
from pipeline.report.results import Results
from pipeline.report.run import made, versions

_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


def build(results: Results) -> Content:
    """The run, the fingerprint of every value, and for each metric the choices that its fingerprints stand for."""
    has_metrics = len(results.metrics) > 0
    context = {
        "made": made(results.params),
        "versions": versions(),
        "encoder": results.encoder,
        "metrics": _by_metric(results),
        "digests": _digests(results),
        "evaluate": results.params.evaluate,
        "drawn": results.drawn,
        "families": results.evaluation["families"],
        "oracle": len(results.oracle_steps) > 0,
    }
    tables = [fingerprints(results)] if has_metrics else []
    return Content(context, tables, missing=[] if has_metrics else ["Nothing was evaluated."])


def _by_metric(results: Results) -> list[dict[str, Any]]:
    """For each metric: the choices that all its protocols share, and a table of those that differ."""
    protocols = results.evaluation["protocols"]
    metrics = []
    for metric in METRICS:
        own = results.metrics[results.metrics.metric == metric]
        choices = {mark: protocols[mark] for mark in dict.fromkeys(own.fingerprint) if mark in protocols}
        if choices:
            metrics.append({"label": METRICS[metric].label, **_told_apart(choices)})
    return metrics


def _digests(results: Results) -> dict[str, str]:
    """Every sha256 of the fingerprints and of the choices behind them, by the digits that are shown elsewhere."""
    protocols = results.evaluation["protocols"]
    marks = dict.fromkeys(results.metrics.fingerprint)
    texts = [f"{mark} {' '.join(map(str, protocols.get(mark, {}).values()))}" for mark in marks]
    return {digest[:SHOWN]: digest for digest in sorted(_DIGEST.findall(" ".join(texts)))}


def _told_apart(choices: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    keys = list(dict.fromkeys(key for own in choices.values() for key in own))
    values = {key: [str(own.get(key, "")) for own in choices.values()] for key in keys}
    shared = {key: own[0] for key, own in values.items() if len(set(own)) == 1}
    differing = [key for key in keys if key not in shared]
    rows = [(mark, [values[key][i] for key in differing]) for i, mark in enumerate(choices)]
    return {"shared": shared, "differing": differing, "rows": rows}


PAGE = Page("protocol", "Protocol", "What was run with which weights, and the choices behind every fingerprint.", build)
