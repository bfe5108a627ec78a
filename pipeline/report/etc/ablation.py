"""ETC's Table 2: mixed embedding and triple data, every variant on a grid, beside the printed values."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from pipeline.config.train import EtcTraining
from pipeline.report.formatting import fixed, interval
from pipeline.report.metric_tables import INTERVALS, few, metric_cell, metric_column
from pipeline.report.page import Content
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row, with_shared_notes

PRINTED = {"fvd": ("FVD", ""), "clipsim": ("CLIP", "×100"), "cut_wrongly": ("Err.", "%")}
_SHOWN = ("fvd", "clipsim", "cut_wrongly", "content", "action", "smooth", "not_weird", "heading", "roughness")
_REMARKS = (
    "ME: mixed embedding; TDT: triple-data training. Without TDT a model learns from videos alone.",
    "Err.: share of clips in which more than a quarter of the frames show several objects, or an object that continues "
    "in the neighbouring frame of the grid.",
    "The paper's values: MSR-VTT, Stable Diffusion 2.1. Its Table 2 and its text disagree on which of the two middle "
    "rows is which; the text is followed here. Data and model sizes differ: compare the order.",
)


def section(results: Results, printed: Mapping[str, Any]) -> Content:
    """Table 2; it is missing without points."""
    table = _table_2(results, printed["table_2"])
    return Content(tables=[table]) if table else Content(missing=["Table 2 needs points of ETC's (etc.points)."])


def _table_2(results: Results, printed: Mapping[str, Mapping[str, float]]) -> Table | None:
    """Every variant on a grid: mixed embedding by triple data; None without points."""
    variants = _variants(results)
    if not variants:
        return None
    shown = [name for name in _SHOWN if name in set(results.etc.metric)]
    paper = [Column(f"Paper: {label}", unit) for label, unit in PRINTED.values()]
    marks = [Column(name, numeric=False) for name in ("ME", "TDT")]
    columns = [Column("Variant", numeric=False), *marks, *map(_column, shown), *paper]
    rows = []
    for point, (mixed, triple) in variants.items():
        values = results.etc[results.etc.method == point].set_index("metric")
        theirs = printed.get(point, {})
        rows.append(
            row(
                point,
                *("✓" if mark else "" for mark in (mixed, triple)),
                *(_cell(values, name) for name in shown),
                *(_printed(theirs, name) for name in PRINTED),
            )
        )
    data = results.etc[results.etc.method.isin(list(variants))]
    places = zip(data.method, data.metric, strict=True)
    data = data.assign(paper=[_share(printed.get(point, {}).get(metric), metric) for point, metric in places])
    said = [results.params.etc.remark] if results.params.etc.remark else []
    remarks = [*said, INTERVALS.format(100 * results.params.evaluate.confidence), *_REMARKS, *few(data)]
    caption = "Mixed embedding and triple data (Table 2)"
    return Table("etc_table2", caption, *with_shared_notes(columns, rows), data, remarks)


def _variants(results: Results) -> dict[str, tuple[bool, bool]]:
    """Points of grids at the method's own rate: whether they have the mixed embedding, and triple data."""
    found = {}
    for name, point in results.params.etc.points.items():
        training = results.params.train[point.training]
        assert isinstance(training, EtcTraining)  # checked with params.yaml
        spec = training.spec
        if spec.frames == "grid" and point.rate is None and name in set(results.etc.method):
            found[name] = (spec.mixed, bool(spec.shares.label_images or spec.shares.caption_images))
    return dict(sorted(found.items(), key=lambda one: sum(one[1])))


def _column(metric: str) -> Column:
    """CLIPSIM in the paper's unit."""
    own = metric_column(metric)
    return replace(own, unit="×100") if metric == "clipsim" else own


def _cell(values: pd.DataFrame, metric: str) -> Cell:
    own = metric_cell(values, metric)
    if metric != "clipsim" or metric not in values.index:
        return own
    found = values.loc[metric]
    return replace(own, text=interval(100 * found.value, 100 * found.low, 100 * found.high, 1))


def _share(printed: float | None, metric: str) -> float | None:
    """A printed value in the unit of `value`: where the paper has percent, a share."""
    return printed if printed is None or not PRINTED[metric][1] else printed / 100


def _printed(theirs: dict[str, float], name: str) -> Cell:
    digits = {"fvd": 0, "clipsim": 2, "cut_wrongly": 1}
    return Cell(fixed(theirs[name], digits[name])) if name in theirs else Cell()
