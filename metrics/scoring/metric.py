"""One record per metric: how it is computed and compared, what it needs, and how it is printed. Loads nothing heavy."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from metrics.scoring.measured import Measured
    from metrics.scoring.protocol import Protocol
    from metrics.statistics.bootstrap import Distance, Interval, Uncertainty

ASKED = ("prompts", "mixtures", "videos")  # what a set of clips can be of; "videos": made elsewhere
MISSING = "–"  # printed for a value that is not there
BOUND_DIGITS = 3  # significant digits of a bound, and of a small value
_MOST_DIGITS = 6  # after the point; a smaller number is written as 1.23e-08
_ARROWS = {True: " ↑", False: " ↓", None: ""}


@dataclass(frozen=True)
class Sample:
    """What a metric is computed from. real: None where there are no real clips. uncertainty: how intervals are made."""

    gen: "Measured"
    real: "Measured | None"
    protocol: "Protocol"
    uncertainty: "Uncertainty"


@dataclass(frozen=True)
class Estimate:
    """A value with its interval.

    flag: why it is not to be compared with published values, or "". choices: what is behind it beside the protocol of
    scoring (fields of its fingerprint), or all that is, where that is not the protocol.
    """

    interval: "Interval"
    flag: str = ""
    choices: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """first - second of two methods on the clips that both have.

    difference: with its paired interval, NaN bounds where there is none. pairs: of clips. p: of the paired two-sided
    test; NaN where there is none. clusters: prompts, or other clusters of clips, that the pairs are of; 0 if not known.
    flag: why the difference is not to be relied on, or "".
    """

    difference: "Interval"
    pairs: int
    p: float = math.nan
    clusters: int = 0
    flag: str = ""

    def row(self, candidate: str, baseline: str) -> dict[str, Any]:
        """As tables and evaluation.json have it."""
        names = {"candidate": candidate, "baseline": baseline, "pairs": self.pairs, "clusters": self.clusters}
        own = self.difference
        return names | {"difference": own.value, "low": own.low, "high": own.high, "p": self.p}


@dataclass(frozen=True)
class Metric:
    """Everything about a metric.

    A set's value is `estimate`, or a `distance` of two sets of I3D features, or else the mean over clips of the column
    of the metric's name. Two methods are compared by `compare`, by a paired difference of distances, or of means; a
    metric with an `estimate` alone is not compared.

    Args:
        label: what tables call it. higher_is_better: None where neither direction is better.
        digits: of a printed value, after the point; more for small values. unit: "%" prints a share of [0, 1] in
            percent.
        needs: "real" clips, "captions", "pairs" of a clip and its original, "mixtures" or "attributes" that the judge
            can tell; "" for nothing. by_name: whether it is computed only if it is asked for. asked: which clips it is
            for, see `ASKED`. network: that must have seen the clips: "i3d" (or what takes its place), "clip", "pixels"
            or "flow" (of metrics.scoring.readings); "" for none.
        of_frames: (frames (W, T, d), caption (W, d) or None), unit vectors of the dual encoder -> (W,), the value of
            every window of a clip. frames: the least T that it takes.
        distance: protocol -> distance. ddof: whether the protocol's ddof changes it. clips: the least number a side
            that a value is not flagged for.
        estimate: a sample -> value, or None where the metric does not apply.
        compare: two samples -> their paired difference, or None where they share no clip.
    """

    name: str
    label: str
    higher_is_better: bool | None
    digits: int
    unit: str = ""
    needs: str = ""
    by_name: bool = False
    asked: tuple[str, ...] = ASKED
    network: str = ""
    of_frames: "Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None" = None
    frames: int = 1
    distance: "Callable[[Protocol], Distance] | None" = None
    ddof: bool = False
    clips: int = 0
    estimate: Callable[[Any], Estimate | None] | None = None
    compare: Callable[[Any, Any], Comparison | None] | None = None

    @property
    def comparable(self) -> bool:
        """Whether there is a paired comparison of two methods."""
        return self.compare is not None or self.estimate is None

    @property
    def title(self) -> str:
        """The label with an arrow towards the better."""
        return self.label + _ARROWS[self.higher_is_better]

    def number(self, value: float | None, *beside: float | None) -> str:
        """A value as it is printed: 227.7, 15.2 %, 0.00312; "–" for none and NaN.

        beside: what it is compared with, or its bounds, which say what is small.
        """
        if value is None or math.isnan(value):
            return MISSING
        text = _text(value * self._scale, self._digits_for(value, *beside))
        return f"{text}{' %' if self.unit == '%' else ''}"

    def range(self, low: float | None, high: float | None, *beside: float | None) -> str:
        """An interval with fewer digits than the value: 141–334, or -2.0 to 25.6; "–" where a bound is none or NaN.

        beside: as for `number`.
        """
        if low is None or high is None or math.isnan(low) or math.isnan(high):
            return MISSING
        bounds = [bound * self._scale for bound in (low, high)]
        digits = self._bound_digits(*bounds, self._digits_for(low, high, *beside))
        return (" to " if min(bounds) < 0 else "–").join(_text(bound, digits) for bound in bounds)

    def _digits_for(self, *values: float | None) -> int:
        """Digits after the point: three significant ones of the largest value, if it is below 1 and the metric's own
        left fewer than two of it, as of a distance of small features. Shares keep theirs."""
        largest = max((abs(value) for value in values if value is not None and math.isfinite(value)), default=0.0)
        if self.unit == "%" or not 0 < largest < 10.0 ** min(1 - self.digits, 0):
            return self.digits
        return BOUND_DIGITS - 1 - math.floor(math.log10(largest))

    @staticmethod
    def _bound_digits(low: float, high: float, of_value: int) -> int:
        """Digits after the point: fewer than the value's, unless the bounds would then look alike, or like 0."""
        largest, width = max(abs(low), abs(high)), high - low
        of_largest = BOUND_DIGITS - 1 - math.floor(math.log10(largest)) if largest else 0
        of_width = -math.floor(math.log10(width)) if width > 0 else 0
        digits = max(min(of_largest, max(of_value - 1, 0)), min(of_width, of_value))
        vanishes = any(bound and not round(bound, digits) for bound in (low, high))
        return max(digits, of_value) if vanishes else digits

    def cell(self, value: float | None, low: float | None, high: float | None) -> str:
        """The value with its interval, 227.7 (141–334); the value alone where a bound is none or NaN."""
        number, bounds = self.number(value, low, high), self.range(low, high, value)
        return number if bounds == MISSING else f"{number} ({bounds})"

    @property
    def _scale(self) -> float:
        return 100.0 if self.unit == "%" else 1.0


def _text(value: float, digits: int) -> str:
    """A number with `digits` after the point; -1 rounds to tens. No negative zero."""
    if digits > _MOST_DIGITS:
        return f"{value:.{BOUND_DIGITS - 1}e}"
    return f"{round(value, digits) + 0.0:,.{max(digits, 0)}f}"
