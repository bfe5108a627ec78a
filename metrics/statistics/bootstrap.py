"""Uncertainty from the clips at hand: bootstrap intervals, and paired ones for the difference of two methods.

Means over clips use scipy's BCa interval. Distances between distributions cannot be resampled as they are: a resample
holds copies of clips, which neither FVD nor KVD forgives, and its values spread two to three times too far. So each
clip's influence on the distance is computed in closed form, and the influences are resampled. Such an interval is for
the expected value at this number of clips. It says nothing of the bias that comes with the number, and two methods at
equal numbers are not free of it: the bias depends on the model (Chong & Forsyth 2020). Only
`metrics.statistics.extrapolation` takes it off; few clips are flagged, in a difference as in a value.

What is drawn are clips, the windows of one together (`groups`), or clusters of clips that are not independent, such as
those of one prompt (`clusters`): intervals are then for prompts like these.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from scipy import stats

from metrics.distances import fvd
from metrics.distances.kvd import Drawn, kernel_across, kernel_influences, kernel_within
from metrics.statistics.sides import Features

_ROUNDING = 1e-12  # relative: values that differ by less are one value
_BATCH = 64  # resamples in memory at once


@dataclass(frozen=True)
class Uncertainty:
    """How intervals are made: number of resamples (0 makes none), confidence in (0, 1), seed of the draws."""

    resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.resamples < 0 or not 0 < self.confidence < 1:
            raise ValueError(
                f"{self.resamples} resamples at confidence {self.confidence}: expected at least 0, and a confidence "
                "between 0 and 1"
            )

    @property
    def tails(self) -> list[float]:
        """The quantiles between which the interval lies."""
        return [(1 - self.confidence) / 2, (1 + self.confidence) / 2]


@dataclass(frozen=True)
class Interval:
    """A value with its confidence interval; NaN bounds where the data give none."""

    value: float
    low: float
    high: float


NOTHING = Interval(float("nan"), float("nan"), float("nan"))


def mean_interval(
    values: np.ndarray, uncertainty: Uncertainty, groups: np.ndarray | None = None, clusters: np.ndarray | None = None
) -> Interval:
    """Mean over clips of a per-clip value (n,), each clip's windows averaged first, with scipy's BCa interval.

    Of few clips or clusters BCa's level is raised as Student's quantile exceeds the normal's (Hesterberg 2015, section
    5.3), without which it holds the mean too seldom.

    Args:
        groups: (n,) the clip of every value, 0 … clips - 1; None: each is a clip. clusters: (clips,) the cluster of
            every clip, any integers, which is then what is resampled; None: every clip is its own.

    Raises:
        ValueError: if there is not one cluster for every clip.
    """
    values = np.asarray(values, np.float64)
    if groups is not None and len(values):
        values = np.bincount(groups, values) / np.bincount(groups)
    codes = np.arange(len(values)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    if codes.shape != values.shape:
        raise ValueError(f"{len(codes)} clusters for {len(values)} clips: expected one for each")
    if len(values) == 0:
        return NOTHING
    value, sums, counts = float(values.mean()), np.bincount(codes, values), np.bincount(codes).astype(np.float64)
    if len(sums) < 2 or not uncertainty.resamples:
        return Interval(value, float("nan"), float("nan"))
    if np.ptp(values) <= _ROUNDING * np.abs(values).max():
        return Interval(value, value, value)
    order = np.lexsort((counts, sums))  # the order of clips does not matter
    return Interval(value, *_bca(sums[order], counts[order], uncertainty))


def _bca(sums: np.ndarray, counts: np.ndarray, uncertainty: Uncertainty) -> tuple[float, float]:
    """BCa bounds of a ratio of sums (units,) to counts (units,); percentiles where BCa is degenerate."""
    n = len(sums)
    tails = stats.norm.cdf(np.sqrt(n / (n - 1)) * stats.t.ppf(uncertainty.tails, n - 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        resampled = stats.bootstrap(
            (sums, counts),
            lambda x, y, axis: x.sum(axis) / y.sum(axis),
            paired=True,
            vectorized=True,
            n_resamples=uncertainty.resamples,
            confidence_level=tails[1] - tails[0],
            method="BCa",
            batch=_BATCH,
            rng=np.random.default_rng(uncertainty.seed),
        )
    low, high = (float(bound) for bound in resampled.confidence_interval)
    if not np.isfinite([low, high]).all():
        low, high = np.quantile(resampled.bootstrap_distribution, tails)
    return float(low), float(high)


def paired_mean_difference(
    first: np.ndarray,
    second: np.ndarray,
    uncertainty: Uncertainty,
    groups: np.ndarray | None = None,
    clusters: np.ndarray | None = None,
) -> Interval:
    """Mean of first - second over clips that share a prompt (and seed), row by row; arguments as `mean_interval`'s."""
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape:
        raise ValueError(f"paired values must have one length, found {first.shape} and {second.shape}")
    return mean_interval(first - second, uncertainty, groups, clusters)


class Distance(Protocol):
    """A symmetric distance of two sides."""

    def __call__(self, gen: Features, real: Features) -> float:
        """The distance."""
        ...

    def influences(self, gen: Features, real: Features, minus: Features | None = None) -> tuple[np.ndarray, np.ndarray]:
        """How far each unit of either side moves the distance, or the distance of gen less that of `minus`.

        The variance of each side's influences over their number, added up, is that of the distance; their mean is 0.

        Args:
            minus: another method's features of the same clips as gen.
        """
        ...


@dataclass(frozen=True)
class _Frechet:
    ddof: int

    def __call__(self, gen: Features, real: Features) -> float:
        return fvd.between(_root(gen, self.ddof), _root(real, self.ddof))

    def influences(self, gen: Features, real: Features, minus: Features | None = None) -> tuple[np.ndarray, np.ndarray]:
        moved = self._of_vectors(gen, real)
        if minus is not None:
            moved = tuple(a - b for a, b in zip(moved, self._of_vectors(minus, real), strict=True))
        return _by_unit(moved[0], gen), _by_unit(moved[1], real)

    def _of_vectors(self, gen: Features, real: Features) -> tuple[np.ndarray, ...]:
        return fvd.influences(gen.values, real.values, _root(gen, self.ddof), _root(real, self.ddof))


class _Kernel:
    def __call__(self, gen: Features, real: Features) -> float:
        if min(gen.clips, real.clips) < 2:
            raise ValueError(f"KVD wants at least two clips a side, found {gen.clips} and {real.clips}")
        return _within(gen) + _within(real) - 2 * kernel_across(gen.values, real.values)

    def influences(self, gen: Features, real: Features, minus: Features | None = None) -> tuple[np.ndarray, np.ndarray]:
        drawn = Drawn(gen.values, gen.groups, gen.units, None if minus is None else minus.values)
        return kernel_influences(drawn, Drawn(real.values, real.groups, real.units))


@lru_cache(maxsize=4)  # one reference is compared with many methods
def _root(side: Features, ddof: int) -> fvd.Root:
    return fvd.root(side.values, ddof)


@lru_cache(maxsize=4)
def _within(side: Features) -> float:
    return kernel_within(side.values, side.groups)


def _by_unit(moved: np.ndarray, side: Features) -> np.ndarray:
    """The influences (n,) of vectors as those of the units that they were drawn in."""
    units = np.bincount(side.units, moved)
    return units * len(units) / len(moved)


def fvd_distance(ddof: int) -> Distance:
    """FVD as a distance of two sides."""
    return _Frechet(ddof)


kvd_distance: Distance = _Kernel()


def distance_interval(distance: Distance, gen: Features, real: Features, uncertainty: Uncertainty) -> Interval:
    """A distance with its bootstrap interval over what both sides were drawn in: clips, or clusters of them.

    A side of fewer than three gives NaN bounds.
    """
    return _interval(distance(gen, real), distance, (gen, real), uncertainty)


def paired_distance_difference(
    distance: Distance, first: Features, second: Features, real: Features, uncertainty: Uncertainty
) -> Interval:
    """distance(first) - distance(second) of two methods on the same prompts: a resample has the same clips of both.

    Raises:
        ValueError: if the methods' clips or their clusters are not the same, in the same order.
    """
    if not np.array_equal(first.groups, second.groups):
        raise ValueError(
            f"paired methods must have the same clips in the same order, found {len(first.groups)} and "
            f"{len(second.groups)} windows"
        )
    if not np.array_equal(first.units, second.units):
        raise ValueError("paired methods must have their clips in the same clusters")
    return _interval(distance(first, real) - distance(second, real), distance, (first, real, second), uncertainty)


def _interval(value: float, distance: Distance, sides: Sequence[Features], uncertainty: Uncertainty) -> Interval:
    if min(side.drawn for side in sides) < 3 or not uncertainty.resamples:
        return Interval(value, float("nan"), float("nan"))
    return resampled(value, distance.influences(*sides), uncertainty)


def resampled(
    value: float, influences: Sequence[np.ndarray], uncertainty: Uncertainty, spread: float = 0.0
) -> Interval:
    """A value with the interval of its resamples: the value plus the mean of as many influences, drawn anew.

    The order of influences does not matter. Of few, resamples spread too little: they are spread by (n / (n - 1))^½ on
    each side and by Student's quantile over the normal's on both (Hesterberg 2015, section 5.3), with Welch's degrees
    of freedom.

    Args:
        influences: of each side's units, each of mean 0. spread: variance of a further, normal error of the value.
    """
    rng = np.random.default_rng(uncertainty.seed)
    drawn = rng.normal(0, np.sqrt(spread), uncertainty.resamples)
    for moved in influences:
        drawn += _means(np.sort(moved), uncertainty.resamples, rng)
    low, high = np.quantile(drawn, uncertainty.tails) * _widened(influences, uncertainty.confidence)
    return Interval(value, value + float(low), value + float(high))


def _means(moved: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """(resamples,) means of as many draws with replacement from influences (n,)."""
    n = len(moved)
    sizes = [min(_BATCH, resamples - done) for done in range(0, resamples, _BATCH)]
    means = [moved[rng.integers(n, size=(size, n))].mean(axis=1) for size in sizes]
    return np.concatenate(means) * np.sqrt(n / (n - 1))


def _widened(influences: Sequence[np.ndarray], confidence: float) -> float:
    """Student's quantile over the normal's, at Welch's degrees of freedom."""
    variances = np.array([moved.var(ddof=1) / len(moved) for moved in influences])
    if not variances.any():
        return 1.0
    freedom = variances.sum() ** 2 / (variances**2 / [len(moved) - 1 for moved in influences]).sum()
    upper = (1 + confidence) / 2
    return float(stats.t.ppf(upper, freedom) / stats.norm.ppf(upper))
