"""Result files -> what MLflow is to hold: a child run per method, search, sweep, trained model and user study."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.clips import ledger
from pipeline.config import paths
from pipeline.config.params import Params
from pipeline.richspace.optima import CURVES, TABLE, read_curves, read_optima, search_key
from pipeline.tracking import methods, points, studies
from pipeline.tracking.shapes import curves_of, flat
from pipeline.tracking.store import ChildRun, Series


def result_files(params: Params) -> list[Path]:
    """The files that make a state of the results."""
    searches = [path for path in paths.SEARCH.glob("*/*") if path.suffix in (".csv", ".json")]
    results = [path for folder in (paths.RESULTS, paths.STUDY) for path in folder.glob("*.*")]
    made_by = [params.generate.folder(name) / ledger.ABOUT for name in params.generate.evaluated]
    return sorted([*results, *searches, *paths.histories(), *(path for path in made_by if path.is_file())])


def artifacts() -> list[Path]:
    """Every file of the report: tables, pictures, the page and its script."""
    return sorted(path for path in paths.REPORTS.rglob("*") if path.is_file())


def children(params: Params) -> list[ChildRun]:
    """One run per evaluated method, trained model and user study; and per search and sweep, with a child for each k and
    point."""
    return [*methods.runs(params), *_searches(params), *_trainings(params), *points.runs(params), *studies.runs()]


def _searches(params: Params) -> list[ChildRun]:
    """A run for each encoder's search; its children are its k."""
    runs = []
    for name, encoder in params.embed.encoders.items():
        folder = paths.search(name)
        optima, curves = read_optima(folder), read_curves(folder)
        described = {"encoder": name, "checkpoint": encoder.checkpoint, "default_k": params.search.default_k}
        of_k = [_search(int(k), described, own, curves) for k, own in optima.groupby("k")]
        about = {**described, "k": params.search.k}
        runs.append(ChildRun(f"search-{name}", "sweep", about, children=of_k, files=[folder / TABLE, folder / CURVES]))
    return runs


def _search(k: int, described: Mapping[str, Any], optima: pd.DataFrame, curves: Mapping[str, Any]) -> ChildRun:
    """All mixtures with one k. similarity: the optimum's, the mean over mixtures. weight_error: how far its weight is
    from the optimum of the curve between the steps, the mean. Of each mixture: step and weight of the optimum, and the
    best similarity up to each step, which ends at the optimum's."""
    error = (optima.weight - optima.continuous_weight).abs().mean()
    metrics = {"similarity": optima.similarity.mean(), "weight_error": error, "mixtures": float(len(optima))}
    series = []
    for row in optima.itertuples():
        metrics |= {f"step/{row.mixture}": row.step, f"weight/{row.mixture}": row.weight}
        best = np.maximum.accumulate(curves[search_key(str(row.mixture), k)]["total"])
        series.append(Series(f"best_similarity/{row.mixture}", list(enumerate(best.tolist(), 1))))
    return ChildRun(f"k={k}", "search", {**described, "k": k}, metrics, series)


def _trainings(params: Params) -> list[ChildRun]:
    runs = []
    for path in (path for path in paths.histories() if path.parent.name in params.train):
        wanted = params.train[path.parent.name]
        described = flat({**wanted.spec.model_dump(), **wanted.schedule.model_dump()})
        runs.append(ChildRun(f"train-{path.parent.name}", "training", described, series=curves_of(path)))
    return runs
