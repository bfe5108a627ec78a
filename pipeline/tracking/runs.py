"""Result files -> what MLflow is to hold: one child run per method, per search and per trained model."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pipeline.config import paths
from pipeline.config.params import Params
from pipeline.richspace.optima import read_curves, read_optima, search_key
from pipeline.sweeps import etc_tables, trial_tables
from pipeline.sweeps import tables as sweeps
from pipeline.tracking import studies
from pipeline.tracking.store import ChildRun, Series


def result_files() -> list[Path]:
    """The files that make a state of the results."""
    searches = [path for path in paths.SEARCH.glob("*/*") if path.suffix in (".csv", ".json")]
    results = [path for folder in (paths.RESULTS, paths.STUDY) for path in folder.glob("*.*")]
    return sorted([*results, *searches, *paths.histories()])


def artifacts() -> list[Path]:
    """Every file of the report: tables, pictures, the page and its script."""
    return sorted(path for path in paths.REPORTS.rglob("*") if path.is_file())


def children(params: Params) -> list[ChildRun]:
    """One run per evaluated method, encoder's search, trained model and user study, and per sweep and for
    Make-A-Video's parts, with a child a point."""
    sweeps_of = [*_sweeps(params), *_trials(params), *_etc_sweeps(params), *_cascade_points(params)]
    return [*_methods(params), *_searches(params), *_trainings(params), *sweeps_of, *studies.runs()]


def _methods(params: Params) -> list[ChildRun]:
    metrics = pd.read_csv(paths.RESULTS / "metrics.csv", dtype={"method": str})
    runs = []
    for name, own in metrics.groupby("method", sort=False):
        values = {row.metric: row.value for row in own.itertuples()}
        values |= {f"{row.metric}_low": row.low for row in own.itertuples() if pd.notna(row.low)}
        values |= {f"{row.metric}_high": row.high for row in own.itertuples() if pd.notna(row.high)}
        values |= {f"clips_{count}": int(own.iloc[0][count]) for count in ("requested", "generated", "scored")}
        described = {f"fingerprint.{row.metric}": row.fingerprint for row in own.itertuples()}
        described |= {f"flag.{row.metric}": row.flag for row in own.itertuples() if pd.notna(row.flag)}
        method = params.generate.everything[str(name)]
        runs.append(ChildRun(str(name), {**method.model_dump(), **described}, values, _curves(str(name))))
    return runs


def _curves(method: str) -> list[Series]:
    """FVD against the number of clips, the mean over draws."""
    curves = pd.read_csv(paths.RESULTS / "fvd_by_clips.csv", dtype={"method": str})
    points = curves[curves.method == method].groupby("n").fvd.mean()
    return [Series("fvd_by_clips", [(int(n), float(value)) for n, value in points.items()])] if len(points) else []


def _searches(params: Params) -> list[ChildRun]:
    """Similarity curves by interpolation step, and the optimal weight by k."""
    runs = []
    for name in params.embed.encoders:
        optima, curves = read_optima(paths.search(name)), read_curves(paths.search(name))
        series = []
        for mixture, own in optima.groupby("mixture", sort=False):
            series.append(Series(f"optimal_weight/{mixture}", list(zip(own.k, own.weight, strict=True))))
            for k in own.k:
                total = curves[search_key(str(mixture), k)]["total"]
                series.append(Series(f"similarity_k{k}/{mixture}", list(enumerate(total, 1))))
        runs.append(
            ChildRun(f"search-{name}", {"k": params.search.k, "default_k": params.search.default_k}, {}, series)
        )
    return runs


def _sweeps(params: Params) -> list[ChildRun]:
    """One run per sweep of HARIVO's; its children are its points, named by the swept value."""
    if not params.harivo.sweep.points:
        return []
    points, base = sweeps.read(params), sweeps.base_of(params)
    keys = ["mg_scale", *sweeps.LAMBDAS]
    return [
        ChildRun(f"sweep-{name}", base, children=_points(own, keys[1:] if name == "lambda_grid" else [name], keys))
        for name, own in sweeps.sweeps(points, base).items()
    ]


def _trials(params: Params) -> list[ChildRun]:
    """One run for HARIVO's trials; its children are they, with the curves of their trainings."""
    table, about = trial_tables.read(params), ("training", *trial_tables.DIFFERS, "clips")
    children = []
    for row in table.to_dict("records"):
        name = str(row.pop("point"))
        described = {key: row.pop(key) for key in about}
        values = {key: float(value) for key, value in row.items() if pd.notna(value)}
        children.append(ChildRun(name, described, values, _series(paths.trial(name) / paths.HISTORY)))
    return [ChildRun("trials-harivo", {"method": params.harivo.trials.method}, children=children)] if children else []


def _etc_sweeps(params: Params) -> list[ChildRun]:
    """One run per sweep of ETC's: the frame rate, the amount of data, α of the filter; its children are its points."""
    found = etc_tables.sweeps(params, etc_tables.read(params))
    return [
        ChildRun(
            f"sweep-etc-{name}", children=_points(own, [name, "steps"] if name == "used" else [name], etc_tables.SWEPT)
        )
        for name, own in found.items()
    ]


def _cascade_points(params: Params) -> list[ChildRun]:
    """One run for what each part of Make-A-Video buys; its children are the points that were measured."""
    wanted, results = params.make_a_video, sweeps.results_of(paths.CASCADE_POINTS)
    points = [
        ChildRun(name, {"model": point.model, **point.options}, sweeps.measured(results[name]))
        for name, point in wanted.points.items()
        if name in results
    ]
    return [ChildRun("parts-make_a_video", {"method": wanted.method}, children=points)] if points else []


def _points(points: pd.DataFrame, swept: Sequence[str], keys: Sequence[str]) -> list[ChildRun]:
    """The points of a sweep, named by what is swept. keys: their parameters, beside steps and clips; all other columns
    are metrics."""
    keys, runs = [*keys, "steps", "clips"], []
    for _, row in points.drop(columns="point").iterrows():
        known = row.dropna()
        described = {key: known[key] for key in keys if key in known}
        label = ", ".join(f"{key}={row[key]:g}" for key in swept)
        runs.append(
            ChildRun(label, described, {key: float(value) for key, value in known.drop(list(described)).items()})
        )
    return runs


def _trainings(params: Params) -> list[ChildRun]:
    runs = []
    for path in (path for path in paths.histories() if path.parent.name in params.train):
        wanted = params.train[path.parent.name]
        described = {**wanted.spec.model_dump(), **wanted.schedule.model_dump()}
        runs.append(ChildRun(f"train-{path.parent.name}", described, {}, _series(path)))
    return runs


def _series(path: Path) -> list[Series]:
    """The curves of a training."""
    history = pd.read_csv(path)
    columns = [name for name in history if name != "step"]
    return [Series(name, history[["step", name]].dropna().to_records(index=False).tolist()) for name in columns]
