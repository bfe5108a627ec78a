"""How the object of a clip moves, by the judge's readings: how far off its path, and how fast."""

import numpy as np
import pandas as pd

from metrics.scoring.metric import Estimate
from metrics.statistics.bootstrap import mean_interval
from pipeline.config.code import code_hash
from pipeline.evaluation.sample import MethodSample

_READ = ("roughness", "velocity_x", "velocity_y")


def roughness(sample: MethodSample) -> Estimate | None:
    """Mean root mean square distance of the object's centre from a straight, even path, in pixels."""
    table = _judged(sample)
    return _mean("roughness", sample, table, table.roughness.to_numpy(float))


def object_speed(sample: MethodSample) -> Estimate | None:
    """Mean speed of the object, in pixels a frame."""
    table = _judged(sample)
    return _mean("object_speed", sample, table, np.hypot(*(table[f"velocity_{axis}"].to_numpy(float) for axis in "xy")))


def _judged(sample: MethodSample) -> pd.DataFrame:
    """The readings of the judged clips, a row each; NaN where there is nothing to see."""
    if not len(sample.judged):
        return pd.DataFrame(columns=["clip", *_READ], dtype=float)
    table = sample.method.table
    return table[table["clip"].isin(sample.judged["clip"])]


def _mean(name: str, sample: MethodSample, table: pd.DataFrame, values: np.ndarray) -> Estimate | None:
    """Of values (rows,) over the clips that show an object; None for fewer than two."""
    visible = np.isfinite(values)
    if visible.sum() < 2:
        return None
    interval = mean_interval(values[visible], sample.uncertainty, clusters=sample.clusters(table)[visible])
    choices = {"name": name, "code": code_hash("pipeline.world.judge"), "denominator": "clips that show an object"}
    return Estimate(interval, choices=choices | {"interval": sample.bootstrap})
