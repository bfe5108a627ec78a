"""How the object of a clip moves, by the judge's readings: how far off its path, and how fast."""

import numpy as np

from metrics.scoring.metric import Estimate
from metrics.statistics.bootstrap import mean_interval
from pipeline.config.code import code_hash
from pipeline.evaluation.sample import MethodSample


def roughness(sample: MethodSample) -> Estimate | None:
    """Mean root mean square distance of the object's centre from a straight, even path, in pixels."""
    return _mean("roughness", sample, _read(sample, "roughness"))


def object_speed(sample: MethodSample) -> Estimate | None:
    """Mean speed of the object, in pixels a frame."""
    return _mean("object_speed", sample, np.hypot(_read(sample, "velocity_x"), _read(sample, "velocity_y")))


def _read(sample: MethodSample, reading: str) -> np.ndarray:
    """A reading (n,) of the judged clips; NaN where there is nothing to see."""
    table = sample.method.table
    if not len(sample.judged):
        return np.empty(0)
    return table.loc[table["clip"].isin(sample.judged["clip"]), reading].to_numpy(float)


def _mean(name: str, sample: MethodSample, values: np.ndarray) -> Estimate | None:
    """Over the clips that show an object; None for fewer than two."""
    visible = values[np.isfinite(values)]
    if len(visible) < 2:
        return None
    own = sample.uncertainty
    choices = {"name": name, "code": code_hash("pipeline.world.judge"), "denominator": "clips that show an object"}
    bootstrap = f"bootstrap {own.confidence:g}, {own.resamples} resamples, seed {own.seed}"
    return Estimate(mean_interval(visible, own), choices=choices | {"interval": bootstrap})
