"""What each part of the cascade buys: every point, in the order of params.yaml, by what was measured of its clips."""

import pandas as pd

from pipeline.config.generate import Method, Model
from pipeline.config.make_a_video import CascadePoint
from pipeline.evaluation.catalogue import PARAMETERS, SPEED
from pipeline.report.formatting import fixed
from pipeline.report.lineage import training_of
from pipeline.report.metric_tables import INTERVALS, clips_cell, devices, few, metric_cell, metric_column
from pipeline.report.page import Content
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row, with_shared_notes
from pipeline.world.attributes import ATTRIBUTES, HEADING
from pipeline.world.scene import FRAMES

NAME = "make_a_video_parts"
SECONDS = "seconds_per_clip"
_SHOWN = ("fvd", "clipsim", *ATTRIBUTES, HEADING)
_OF_MOTION = ("fvd", "action", "smooth")  # nothing to be read from a clip that stands still
_STANDING = "{}: one image stands for a whole clip, so its FVD, its motion and its smoothness mean nothing."
_COMPARED = "All clips are compared at {} × {} pixels."
_MADE = "The cascade makes {0} × {0}: what SR_h adds to a larger picture is not seen here."
_SPREAD = "They are of these prompts alone: every network was trained from one seed, which they do not cover."
_SPEED = (
    "Seconds a clip: sampling in batches ({}). Other work may have run beside: look at ratios. Parameters: of all "
    "networks of the point."
)


def section(results: Results) -> Content:
    """The table; it is missing without points, and so are points without results."""
    wanted = results.params.make_a_video.points
    shown = measured(results)
    if not shown:
        return Content(missing=["What each part buys needs points of Make-A-Video's (make_a_video.points)."])
    left_out = [name for name in wanted if name not in shown]
    missing = [f"These points of make_a_video.points have no results: {', '.join(left_out)}."] if left_out else []
    return Content(tables=[_table(results, shown)], missing=missing)


def measured(results: Results) -> dict[str, CascadePoint]:
    """The points that have results, in the order of params.yaml; none where the method is in no run."""
    wanted = results.params.make_a_video
    if wanted.method not in results.params.generate.methods:
        return {}
    found = set(results.make_a_video.method)
    return {name: point for name, point in wanted.points.items() if name in found}


def _table(results: Results, points: dict[str, CascadePoint]) -> Table:
    standing = {name for name, point in points.items() if _stands(results, point)}
    data = _data(results, points, standing)
    found = set(data.metric)
    shown = [name for name in _SHOWN if name in found]
    cost = {SECONDS: Column("Seconds a clip"), PARAMETERS.name: metric_column(PARAMETERS.name)}
    costs = [name for name in cost if name in found]
    columns = [
        Column("Cascade", numeric=False),
        *map(metric_column, shown),
        *(cost[name] for name in costs),
        Column("Clips"),
    ]
    rows = []
    for name, point in points.items():
        values = data[data.method == name].set_index("metric")
        cells = [*(metric_cell(values, metric) for metric in shown), *(_cost(values, one) for one in costs)]
        counts = results.make_a_video[results.make_a_video.method == name].iloc[0]
        rows.append(row(point.label, *cells, clips_cell(counts)))
    caption = "The cascade with one part after the other left out or replaced"
    return Table(NAME, caption, *with_shared_notes(columns, rows), data, _remarks(results, data, points, standing))


def _data(results: Results, points: dict[str, CascadePoint], standing: set[str]) -> pd.DataFrame:
    """The rows of the points with their labels, without what means nothing, and seconds a clip after the speed."""
    own = results.make_a_video
    own = own[own.method.isin(list(points))]
    own = own[~(own.method.isin(standing) & own.metric.isin(_OF_MOTION))]
    speed = own[(own.metric == SPEED.name) & own.value.notna()]
    frames = [_frames(_model(results, points[name])) for name in speed.method]
    data = pd.concat([own, speed.assign(metric=SECONDS, value=frames / speed.value.to_numpy())], ignore_index=True)
    data.insert(1, "label", data.method.map({name: point.label for name, point in points.items()}))
    return data


def _cost(values: pd.DataFrame, name: str) -> Cell:
    if name != SECONDS:
        return metric_cell(values, name)
    return Cell(fixed(values.value[name], 2)) if name in values.index else Cell()


def _remarks(results: Results, data: pd.DataFrame, points: dict[str, CascadePoint], standing: set[str]) -> list[str]:
    labels = "; ".join(point.label for name, point in points.items() if name in standing)
    timed = (data.metric == SECONDS).any()
    return [
        f"{INTERVALS.format(100 * results.params.evaluate.confidence)} {_SPREAD}",
        *([_STANDING.format(labels)] if labels else []),
        *_sizes(results),
        *([_SPEED.format(devices(results, data))] if timed else []),
        *few(data),
    ]


def _sizes(results: Results) -> list[str]:
    """At how many pixels clips are compared, and how many the cascade makes, as far as params.yaml says."""
    method = _method(results)
    sampling = results.params.generate.models[method.model].sampling
    if not (sampling.height and sampling.width):
        return []
    last = method.options.get("sr_h") or {}
    training = training_of(results.params.train, last.get("folder", ""))
    made = getattr(training and training.spec, "size", None)
    larger = made is not None and made > max(sampling.height, sampling.width)
    said = [_COMPARED.format(sampling.height, sampling.width), *([_MADE.format(made)] if larger else [])]
    return [" ".join(said)]


def _stands(results: Results, point: CascadePoint) -> bool:
    """Whether a clip of the point is one image from start to end."""
    options = _method(results).options | point.options
    return not options.get("interpolation") and options.get("factor", 1) >= _frames(_model(results, point))


def _method(results: Results) -> Method:
    return results.params.generate.methods[results.params.make_a_video.method]


def _model(results: Results, point: CascadePoint) -> Model:
    return results.params.generate.models[point.model or _method(results).model]


def _frames(model: Model) -> int:
    """Of a clip."""
    return model.sampling.frames or FRAMES
