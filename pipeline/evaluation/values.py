"""A method's features -> its metrics, with counts, intervals and the protocol behind each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from metrics.hashing import fingerprint
from metrics.scoring.measured import Measured
from metrics.scoring.summary import summarise
from metrics.statistics.bootstrap import NOTHING, Interval, Uncertainty
from metrics.statistics.proportions import wilson
from pipeline.evaluation.attributes import attribute_intervals, attribute_protocol
from pipeline.evaluation.evaluated import Evaluated
from pipeline.evaluation.mixtures import success_protocol

COLUMNS = ("method", "asked", "metric", "value", "low", "high", "requested", "generated", "scored", "flag",
           "fingerprint")  # fmt: skip


@dataclass(frozen=True)
class Value:
    """One value of one metric. protocol: every choice behind it. flag: why it is not to be compared, or ""."""

    metric: str
    interval: Interval
    protocol: dict[str, Any]
    flag: str = ""

    def row(self, method: Evaluated) -> dict[str, Any]:
        """With everything that is needed to quote it; NaN bounds where there is no interval."""
        return {"method": method.name, "asked": method.asked, "metric": self.metric, **vars(self.interval),
                **method.counts, "flag": self.flag, "fingerprint": fingerprint(self.protocol)}  # fmt: skip


def evaluate(
    method: Evaluated, reference: Measured, verdicts: pd.DataFrame, judged: pd.DataFrame, names: Sequence[str],
    how: Uncertainty,
) -> Iterator[Value]:  # fmt: skip
    """The named metrics of a method, its speed and size, and what the judge says.

    Args:
        verdicts: see `mixtures.judge_mixtures`. judged: see `attributes.judge_prompts`. Both of the method, or empty.
    """
    for found in summarise(names, method.measured, reference, method.protocol, how):
        yield Value(found.metric, found.interval, found.fingerprint.choices, found.flag)
    yield Value("frames_per_second", _alone(_speed(method.table)), _speed_protocol(method.device))
    yield Value("parameters", _alone(method.parameters), {"name": "parameters", "of": "denoiser"})
    if len(verdicts):
        rate = wilson(int(verdicts.success.sum()), len(verdicts), how.confidence)
        yield Value("success_rate", Interval(rate.value, rate.low, rate.high), success_protocol(how.confidence))
    if len(judged):
        for name, interval in attribute_intervals(judged, how).items():
            yield Value(name, interval, attribute_protocol(name, how))


def _alone(value: float) -> Interval:
    """A value without an interval; 0 is none at all."""
    return Interval(value or NOTHING.value, NOTHING.low, NOTHING.high)


def _speed(table: pd.DataFrame) -> float:
    """Frames made per second of sampling and decoding, over the scored clips; 0 for clips that were imported."""
    scored = table[table.scored & (table.frames > 0)]
    seconds = scored.seconds.sum()
    return float(scored.frames.sum() / seconds) if seconds > 0 else 0.0


def _speed_protocol(device: str) -> dict[str, Any]:
    """What is behind a speed: sampling and decoding, in batches, on the device that made the clips."""
    return {"name": "speed", "clock": "sampling and decoding of whole batches", "device": device or "not recorded"}
