"""Points of sweeps and trials -> runs: one for each sweep, with its points as children."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.config import paths
from pipeline.config.make_a_video import CascadePoint
from pipeline.config.params import Params
from pipeline.sweeps import etc_tables, trial_tables
from pipeline.sweeps import tables as sweeps
from pipeline.tracking.shapes import curves_of, flat
from pipeline.tracking.store import ChildRun


def runs(params: Params) -> list[ChildRun]:
    """HARIVO's sweeps and trials, ETC's sweeps, and what each part of Make-A-Video buys."""
    return [*_sweeps(params), *_trials(params), *_etc_sweeps(params), *_cascade_points(params)]


def _sweeps(params: Params) -> list[ChildRun]:
    """One run per sweep of HARIVO's; its children are its points, named by the swept value."""
    if not params.harivo.sweep.points:
        return []
    points, base, wanted = sweeps.read(params), sweeps.base_of(params), params.harivo.sweep
    about, keys = {"method": wanted.method, "training": wanted.training}, ["mg_scale", *sweeps.LAMBDAS]
    return [
        ChildRun(
            f"sweep-{name}",
            "sweep",
            about | base,
            children=_points(own, keys[1:] if name == "lambda_grid" else [name], keys, about),
        )
        for name, own in sweeps.sweeps(points, base).items()
    ]


def _trials(params: Params) -> list[ChildRun]:
    """One run for HARIVO's trials; its children are they, with the curves of their trainings."""
    table, differs = trial_tables.read(params), ("training", *trial_tables.DIFFERS, "clips")
    about, children = {"method": params.harivo.trials.method}, []
    for row in table.to_dict("records"):
        name = str(row.pop("point"))
        described = about | {key: row.pop(key) for key in differs}
        values = {key: float(value) for key, value in row.items() if pd.notna(value)}
        children.append(ChildRun(name, "point", described, values, curves_of(paths.trial(name) / paths.HISTORY)))
    return [ChildRun("trials-harivo", "sweep", about, children=children)] if children else []


def _etc_sweeps(params: Params) -> list[ChildRun]:
    """One run per sweep of ETC's: the frame rate, the amount of data, α of the filter; its children are its points."""
    found, about = etc_tables.sweeps(params, etc_tables.read(params)), {"method": params.etc.method}
    return [
        ChildRun(
            f"sweep-etc-{name}",
            "sweep",
            about,
            children=_points(own, [name, "steps"] if name == "used" else [name], etc_tables.SWEPT, about),
        )
        for name, own in found.items()
    ]


def _cascade_points(params: Params) -> list[ChildRun]:
    """One run for what each part of Make-A-Video buys; its children are the points that were measured."""
    wanted, results = params.make_a_video, sweeps.results_of(paths.CASCADE_POINTS)
    about = {"method": wanted.method}
    points = [
        ChildRun(name, "point", about | _parts(point), sweeps.measured(results[name]))
        for name, point in wanted.points.items()
        if name in results
    ]
    return [ChildRun("parts-make_a_video", "sweep", about, children=points)] if points else []


def _parts(point: CascadePoint) -> dict[str, Any]:
    """What a point has in place of the method's own; a part that is left out is "none"."""
    options = {key: "none" if value is None else value for key, value in point.options.items()}
    return flat({"label": point.label, "model": point.model, **options})


def _points(
    points: pd.DataFrame, swept: Sequence[str], keys: Sequence[str], about: Mapping[str, Any]
) -> list[ChildRun]:
    """The points of a sweep, named by what is swept. keys: their parameters, beside the clips and the steps of a
    training of their own, if they have one; all other columns are metrics. about: what they share."""
    keys, runs = [*keys, "steps", "clips"], []
    for row in points.drop(columns="point").to_dict("records"):
        known = {key: value for key, value in row.items() if pd.notna(value)}
        described = {key: known.pop(key) for key in keys if key in known}
        if not described["steps"]:
            del described["steps"]  # a point of α samples the shipped weights
        label = ", ".join(f"{key}={row[key]:g}" for key in swept)
        values = {key: float(value) for key, value in known.items()}
        runs.append(ChildRun(label, "point", {**about, **described}, values))
    return runs
