"""Parts of the cascade alone, beside simple ways and against true clips: ↑F, and the noise that SR_h starts from."""

import pandas as pd

from metrics.statistics.bootstrap import Uncertainty
from pipeline.evaluation.catalogue import METRICS
from pipeline.report.formatting import interval
from pipeline.report.metric_tables import INTERVALS, metric_column
from pipeline.report.page import Content
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row

INTERPOLATION, EXTRAPOLATION = "make_a_video_interpolation", "make_a_video_extrapolation"
CONSISTENCY = "make_a_video_noise"
_PAIRS = ("psnr", "ssim")
_FLICKER = "flicker"
_NEW = (
    "Of the new frames alone, against the true ones, on unseen clips. Factor: every so many-th frame is given. Frames "
    "a second: of what comes out."
)
_AROUND = (
    "Of the new frames alone, against the true ones, on unseen clips, of which the frames in the middle are given. "
    "Frames a second: of the clip."
)
_SURE = INTERVALS.format(100 * Uncertainty().confidence)  # of the stage
_SAME = "Intervals are over clips, of the same scenes in every row and column."
_MEANS = (
    "Flicker: mean absolute difference between what changes from frame to frame and what truly changes; 255 is the "
    "step from black to white."
)


def section(results: Results) -> Content:
    """The tables, as far as their stage has run."""
    tables, missing = [], []
    for found, make, what in (
        (results.interpolation, _interpolation, "Interpolation"),
        (results.extrapolation, _extrapolation, "Extrapolation"),
        (results.consistency, _consistency, "The noise of SR_h"),
    ):
        if found is not None and len(found):
            tables.append(make(found))
        else:
            missing.append(f"{what}, by numbers, needs the stage cascade_parts.")
    return Content(tables=tables, missing=missing)


def _interpolation(found: pd.DataFrame) -> Table:
    return _new_frames(found, INTERPOLATION, "Frames between others, against the true ones", {"factor": "Factor"}, _NEW)


def _extrapolation(found: pd.DataFrame) -> Table:
    title = "Frames before and after others, against the true ones"
    return _new_frames(found, EXTRAPOLATION, title, {"frames": "Frames on each side"}, _AROUND)


def _new_frames(found: pd.DataFrame, name: str, title: str, by: dict[str, str], what: str) -> Table:
    """A row for each value of what `by` heads and each frame rate, a column for each metric and way."""
    metrics, ways = _present(found), list(dict.fromkeys(found.way))
    columns = [
        *map(Column, by.values()),
        Column("Frames a second"),
        *(_column(metric, way) for metric in metrics for way in ways),
        Column("Clips"),
    ]
    rows = []
    for key, own in found.groupby([*by, "fps"]):
        values = own.set_index(["metric", "way"])
        cells = [_cell(values, metric, way) for metric in metrics for way in ways]
        rows.append(row(*(f"{value:g}" for value in key), *cells, f"{own.clips.iloc[0]:,}"))
    return Table(name, title, columns, rows, found, [_SURE, _SAME, what])


def _consistency(found: pd.DataFrame) -> Table:
    """A row for each way, a column for each metric."""
    metrics = _present(found)
    columns = [Column("Frames enlarged by", numeric=False), *(_column(metric) for metric in metrics), Column("Clips")]
    rows = []
    for way, own in found.groupby("way", sort=False):
        values = own.set_index(["metric", "way"])
        cells = [_cell(values, metric, str(way)) for metric in metrics]
        rows.append(row(str(way), *cells, f"{own.clips.iloc[0]:,}"))
    remarks = [_SURE, _SAME, _MEANS]
    return Table(CONSISTENCY, "Frames enlarged one by one, against the true ones", columns, rows, found, remarks)


def _present(found: pd.DataFrame) -> list[str]:
    measured = set(found.metric)
    return [metric for metric in (*_PAIRS, _FLICKER) if metric in measured]


def _column(metric: str, way: str = "") -> Column:
    own = Column("Flicker ↓", "255ths") if metric == _FLICKER else metric_column(metric)
    return Column(f"{way}: {own.header}", own.unit) if way else own


def _cell(values: pd.DataFrame, metric: str, way: str) -> Cell:
    if (metric, way) not in values.index:
        return Cell()
    own = values.loc[(metric, way)]
    digits = 2 if metric == _FLICKER else METRICS[metric].digits
    return Cell(interval(own.value, own.low, own.high, digits))
