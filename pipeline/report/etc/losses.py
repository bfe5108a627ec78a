"""ETC's Figure 2b: how the losses of the grid and of temporal attention fall, and when each has settled."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.config import paths
from pipeline.config.etc import EtcPoint
from pipeline.config.train import EtcTraining
from pipeline.report import plots
from pipeline.report.formatting import fixed
from pipeline.report.metric_tables import INTERVALS, clips_cell, few, metric_cell, metric_column
from pipeline.report.page import Content
from pipeline.report.results import Results
from pipeline.report.table import Column, Table, row, with_shared_notes

WINDOW, NEAR = 500, 0.05  # steps that are averaged; how near to its last value a loss has settled
_SHOWN = ("fvd", "clipsim", "cut_wrongly", "content", "action", "not_weird", "roughness")
_REMARK = (
    f"Loss: mean over {WINDOW} steps. Settled: the first step from which that mean stays within {100 * NEAR:g} % of "
    "its last value. The learning rate falls to 0 by a cosine, so every loss settles by the end."
)


def section(results: Results, _printed: Mapping[str, Any]) -> Content:
    """The curves of one plot, and a table of both."""
    pair = _pair(results)
    missing = Content(missing=["Figure 2b needs trained weights of a grid and of temporal attention (etc.points)."])
    if not pair:
        return missing
    curves = {
        training: smoothed(pd.read_csv(paths.world_model(training) / paths.HISTORY)) for training in pair.values()
    }
    if any(curve.empty for curve in curves.values()):
        return missing
    figure = plots.losses(curves)
    return Content(tables=[_table(results, pair, curves)], plots={"etc_losses": figure})


def smoothed(history: pd.DataFrame) -> pd.Series:
    """The loss by step, a mean over WINDOW steps up to it, of the steps of which there are as many;
    empty for a shorter training.

    Args:
        history: columns step and loss, which is NaN in rows of validations.
    """
    loss = history.dropna(subset="loss").set_index("step").loss
    if len(loss) < 2:
        return loss.iloc[:0]
    every = int(loss.index[1] - loss.index[0])
    return loss.rolling(max(1, WINDOW // every)).mean().dropna()


def settled(curve: pd.Series) -> int:
    """The first step from which a smoothed loss stays near its last value."""
    far = (curve - curve.iloc[-1]).abs() > NEAR * curve.iloc[-1]
    return int(curve.index[0] if not far.any() else curve.index[curve.index > far[far].index[-1]][0])


def _pair(results: Results) -> dict[str, str]:
    """The first point with temporal attention, and before it the one of the method's own model that was asked for as
    many clips at the same rate; by name, their trainings. Empty where one is not there."""
    etc, train = results.params.etc, results.params.train
    if not etc.points or etc.method not in results.params.generate.methods:
        return {}
    method = results.params.generate.methods[etc.method].options
    made = {
        name: point
        for name, point in etc.points.items()
        if name in set(results.etc.method) and (paths.world_model(point.training) / paths.HISTORY).is_file()
    }

    def asked(point: EtcPoint) -> tuple[float, int]:
        return point.rate if point.rate is not None else method["rate"], point.prompts or etc.prompts

    for name, point in made.items():
        training = train[point.training]
        assert isinstance(training, EtcTraining)  # checked with params.yaml
        if training.spec.frames == "temporal":
            grids = [
                (other, one.training)
                for other, one in made.items()
                if str(paths.world_model(one.training)) == method["trained"] and asked(one) == asked(point)
            ]
            return dict([grids[0], (name, point.training)]) if grids else {}
    return {}


def _table(results: Results, pair: dict[str, str], curves: dict[str, pd.Series]) -> Table:
    shown = [metric for metric in _SHOWN if metric in set(results.etc.metric)]
    titles = ("Loss after 1,000 steps", "Last loss", "Settled at step")
    columns = [Column("Model", numeric=False), *map(Column, titles), *map(metric_column, shown), Column("Clips")]
    rows, data = [], []
    for point, training in pair.items():
        curve, values = curves[training], results.etc[results.etc.method == point].set_index("metric")
        early, last, step = float(curve.asof(1000)), float(curve.iloc[-1]), settled(curve)
        cells = [fixed(early, 3), fixed(last, 3), f"{step:,}"]
        rows.append(row(point, *cells, *(metric_cell(values, metric) for metric in shown), clips_cell(values.iloc[0])))
        data.append({"method": point, "loss_1000": early, "loss": last, "settled": step})
    own = results.etc[results.etc.method.isin(list(pair))].merge(pd.DataFrame(data), on="method")
    remarks = [INTERVALS.format(100 * results.params.evaluate.confidence), _REMARK, *few(own)]
    caption = "Spatial attention on a grid, and temporal attention (Figure 2b)"
    return Table("etc_figure2b", caption, *with_shared_notes(columns, rows), own, remarks)
