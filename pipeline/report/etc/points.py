"""What ETC's points show: the frame rate that is asked for, the amount of training data (Figure 7), α of the video
filter, and longer and larger clips (Figure 6)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.clips.files import SUFFIX
from pipeline.config import paths
from pipeline.report import plots
from pipeline.report.formatting import fixed
from pipeline.report.metric_tables import INTERVALS, clips_cell, few, metric_cell, metric_column
from pipeline.report.page import Content
from pipeline.report.results import Results
from pipeline.report.strips import Card, Shot
from pipeline.report.table import Cell, Column, Table, row, with_shared_notes
from pipeline.sweeps import etc_tables
from pipeline.world.scene import FPS, SPEED

_QUALITY = ("fvd", "clipsim", "cut_wrongly", "content", "action", "not_weird")
_SHORT = (
    "Short trainings with one seed, each with a complete schedule of its own; the paper measures one training at "
    "several steps. Compare FVD, which is of few clips, only within this table."
)
_RATE = (
    f"An object of the toy world moves {SPEED:g} px on average from frame to frame at {FPS} frames/s. Object speed is "
    "the judge's, of the clips that show an object: at low rates it soon leaves the frame."
)
_LARGER = (
    "Shares of clips by the judge, without intervals; larger clips are reduced to the toy world's size before "
    "they are judged."
)


def section(results: Results, _printed: Mapping[str, Any]) -> Content:
    """A table of each sweep that has points, the curves of Figure 7, and the clips of Figure 6."""
    found = etc_tables.sweeps(results.params, etc_tables.read(results.params))
    tables, figures = [], {}
    if "rate" in found:
        tables.append(_rates(results, found["rate"]))
    if "used" in found:
        tables.append(_data(results, found["used"]))
        figures["etc_data"] = plots.by_training_steps(found["used"], "fvd", "FVD")
    if "filter_ratio" in found:
        tables.append(_filter_ratios(results, found["filter_ratio"]))
    missing = [] if len(found) == len(etc_tables.SWEPT) else ["Figure 7 and the sweeps need etc.points and etc.short."]
    larger = _larger(results)
    tables += [larger] if larger else []
    missing += [] if larger else ["Figure 6 needs points of etc.larger."]
    return Content(tables=tables, plots=figures, clips={"etc_larger": _shown(results)}, missing=missing)


def _rates(results: Results, points: pd.DataFrame) -> Table:
    def own(point: pd.Series) -> list[Cell | str]:
        moves = 0 < point.rate < 120  # both ends are no rates of a video (pipeline.etc.fps)
        return [f"{point.rate:g}", fixed(SPEED * FPS / point.rate, 2) if moves else Cell()]

    columns = [Column("Frames a second"), Column("The world's speed", "px a frame")]
    shown = ("object_speed", "content", "action", "heading", "cut_wrongly")
    caption = "The frame rate that is asked for when sampling"
    return _table(results, "etc_rates", caption, points, columns, own, shown, [_RATE])


def _data(results: Results, points: pd.DataFrame) -> Table:
    whole = points.used.max()

    def own(point: pd.Series) -> list[Cell | str]:
        return [f"{100 * point.used / whole:g} %", f"{point.used:,.0f}", f"{point.steps:,.0f}"]

    columns = [Column("Training set"), Column("Its clips"), Column("Steps")]
    return _table(
        results, "etc_figure7", "Amount of training data (Figure 7)", points, columns, own, _QUALITY, [_SHORT]
    )


def _filter_ratios(results: Results, points: pd.DataFrame) -> Table:
    short = results.params.etc.short

    def own(point: pd.Series) -> list[Cell | str]:
        return [f"{point.filter_ratio:g}", f"{point.filter_ratio * point.used:,.0f}"]

    bad = f"Of the {points.used.iloc[0]:,.0f} clips of the collection {100 * short.spoilt:g} % are bad videos."
    columns = [Column("α"), Column("Clips kept")]
    caption = "What the video filter keeps (α)"
    return _table(results, "etc_filter_ratio", caption, points, columns, own, _QUALITY, [bad, _SHORT])


def _table(
    results: Results,
    name: str,
    caption: str,
    points: pd.DataFrame,
    columns: Sequence[Column],
    own: Callable[[pd.Series], list[Cell | str]],
    metrics: Sequence[str],
    remarks: Sequence[str],
) -> Table:
    """A row per point: its own columns, metrics with their intervals, and its clips."""
    measured = results.etc[results.etc.method.isin(points.point)]
    shown = [metric for metric in metrics if metric in set(measured.metric)]
    rows = []
    for _, point in points.iterrows():
        values = measured[measured.method == point.point].set_index("metric")
        rows.append(row(*own(point), *(metric_cell(values, metric) for metric in shown), clips_cell(values.iloc[0])))
    headers = [*columns, *map(metric_column, shown), Column("Clips")]
    about = points[["point", *etc_tables.SWEPT, "steps"]].rename(columns={"point": "method"})
    data = about.merge(measured, on="method")
    said = [results.params.etc.remark] if results.params.etc.remark else []
    intervals = INTERVALS.format(100 * results.params.evaluate.confidence)
    return Table(name, caption, *with_shared_notes(headers, rows), data, [*said, intervals, *remarks, *few(data)])


def _larger(results: Results) -> Table | None:
    """Figure 6 in numbers; None without points."""
    wanted, measured = results.params.etc.larger, results.etc_larger
    if measured.empty:
        return None
    shown = [
        name for name in ("cut_wrongly", "content", "action", "not_weird") if _judged(name) in set(measured.metric)
    ]
    columns = [
        *(Column(title) for title in ("Frames", "Height", "Frames a second", "Steps")),
        *(metric_column(name) for name in shown),
        Column("Clips"),
    ]
    rows = []
    for name, own in measured.groupby("point", sort=False):
        point, values = wanted.points[str(name)], own.set_index("metric").value
        cells = [f"{point.frames}", f"{point.height}", f"{point.rate:g}", f"{point.steps:,}"]
        rows.append(row(*cells, *(fixed(100 * values[_judged(name)], 0) for name in shown), f"{own.clips.iloc[0]}"))
    caption = "Longer and larger clips after a short fine-tuning (Figure 6)"
    return Table("etc_figure6", caption, columns, rows, measured, [_LARGER])


def _judged(metric: str) -> str:
    """A metric's name in what a validation measures."""
    return metric if metric == "cut_wrongly" else f"judge_{metric}"


def _shown(results: Results) -> list[Card]:
    """The first clips of every point of Figure 6, side by side."""
    wanted = results.params.etc.larger
    if results.etc_larger.empty:
        return []
    shots = []
    for name, point in wanted.points.items():
        files = sorted(paths.etc_larger(name).glob(f"*{SUFFIX}"))
        label = f"{point.frames} frames, {point.height} px"
        shots += [(file.stem, Shot(label, name, file, round(point.rate))) for file in files]
    clips = sorted({clip for clip, _ in shots})
    return [Card(_prompt(results, clip), [shot for of, shot in shots if of == clip]) for clip in clips]


def _prompt(results: Results, clip: str) -> str:
    """What a clip was asked for: its id is the prompt's name and the seed."""
    generate = results.params.generate
    method = generate.methods.get(results.params.etc.method)
    place = generate.set_of(method) if method else generate.set
    return results.prompts[f"{place}/{clip.rpartition('-s')[0]}"].text
