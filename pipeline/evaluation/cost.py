"""What a method costs: frames made per second, and the size of its denoiser."""

import pandas as pd

from metrics.scoring.metric import Estimate
from metrics.statistics.bootstrap import NOTHING, Interval
from pipeline.evaluation.sample import MethodSample


def speed(sample: MethodSample) -> Estimate:
    """Frames per second of sampling and decoding, in batches, on the device that made the clips."""
    device = sample.method.device or "not recorded"
    choices = {"name": "speed", "clock": "sampling and decoding of whole batches", "device": device}
    return Estimate(_alone(_frames_per_second(sample.method.table)), choices=choices)


def parameters(sample: MethodSample) -> Estimate:
    """Number of the denoiser's parameters."""
    return Estimate(_alone(sample.method.parameters), choices={"name": "parameters", "of": "denoiser"})


def _alone(value: float) -> Interval:
    """A value without an interval; 0 stands for not known."""
    return Interval(value or NOTHING.value, NOTHING.low, NOTHING.high)


def _frames_per_second(table: pd.DataFrame) -> float:
    """Over the scored clips; 0 for clips that were imported."""
    scored = table[table.scored & (table.frames > 0)]
    seconds = scored.seconds.sum()
    return float(scored.frames.sum() / seconds) if seconds > 0 else 0.0
