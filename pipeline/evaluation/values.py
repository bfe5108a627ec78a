"""A method's metrics, with counts, intervals and the protocol behind each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from metrics.digests import digest
from metrics.scoring.summary import summarise
from metrics.statistics.bootstrap import Interval
from pipeline.evaluation.catalogue import OWN
from pipeline.evaluation.evaluated import Evaluated
from pipeline.evaluation.sample import MethodSample

_IDENTITY = ("method", "asked", "metric")
_COUNTS = ("requested", "generated", "scored")
COLUMNS = (*_IDENTITY, "value", "low", "high", *_COUNTS, "flag", "fingerprint")


@dataclass(frozen=True)
class Value:
    """One value of one metric. protocol: every choice behind it. flag: why it is not to be compared, or ""."""

    metric: str
    interval: Interval
    protocol: dict[str, Any]
    flag: str = ""

    def row(self, method: Evaluated) -> dict[str, Any]:
        """With everything that is needed to quote it; NaN bounds where there is no interval."""
        identity = dict(zip(_IDENTITY, (method.name, method.asked, self.metric), strict=True))
        about = {"flag": self.flag, "fingerprint": digest(self.protocol)}
        return identity | vars(self.interval) | method.counts | about


def evaluate(sample: MethodSample, names: Sequence[str]) -> Iterator[Value]:
    """The named metrics of a method's videos, and those of a run that apply to it."""
    for value in summarise(names, sample):
        yield Value(value.metric, value.interval, value.fingerprint.choices, value.flag)
    for metric in OWN:
        estimate = metric.estimate(sample) if metric.estimate else None
        if estimate is not None:
            yield Value(metric.name, estimate.interval, estimate.choices, estimate.flag)
