"""Uncertainty from the clips at hand: bootstrap intervals, and paired ones for the difference of two methods.

Means over clips use scipy's BCa interval. Distances between distributions cannot be resampled as they are: a resample
holds copies of clips, which neither FVD nor KVD forgives, and its values spread two to three times too far. So each
block of clips is given its influence on the distance instead, by leaving it out (jackknife pseudo-values), and the
influences are resampled. The interval is for the expected value at this number of clips, which is what a comparison at
equal numbers needs; the bias that depends on the number is the business of `metrics.statistics.extrapolation`.

Clips are what is drawn: the windows of one clip stay together (`groups`).
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from scipy import stats

from metrics.distances.fvd import Root, between, root, roots_without
from metrics.distances.kvd import kernel_across, kernel_distances_without, kernel_within
from metrics.statistics.sides import Features

BLOCKS = 50  # blocks of clips on each side that are left out in turn
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
    values: np.ndarray,
    uncertainty: Uncertainty,
    groups: np.ndarray | None = None,
    clusters: np.ndarray | None = None,
) -> Interval:
    """Mean over clips of a per-clip value (n,), each clip's windows averaged first, with scipy's BCa interval."""
    values = np.asarray(values, np.float64)
    if groups is not None and len(values):
        values = np.bincount(groups, values) / np.bincount(groups)
    if len(values) == 0:
        return NOTHING
    value = float(values.mean())
    if clusters is not None and len(np.unique(clusters)) < len(values) and uncertainty.resamples:
        codes = np.unique(clusters, return_inverse=True)[1]
        sums, sizes = np.bincount(codes, values), np.bincount(codes)
        rng = np.random.default_rng(uncertainty.seed)
        drawn = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=uncertainty.resamples)
        low, high = np.quantile((drawn @ sums) / (drawn @ sizes), uncertainty.tails)
        return Interval(value, float(low), float(high))
    if len(values) < 2 or not uncertainty.resamples:
        return Interval(value, float("nan"), float("nan"))
    if np.ptp(values) <= _ROUNDING * np.abs(values).max():
        return Interval(value, value, value)
    with warnings.catch_warnings():  # where BCa is degenerate the percentiles below stand in
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        resampled = stats.bootstrap(
            (values,),
            np.mean,
            n_resamples=uncertainty.resamples,
            confidence_level=uncertainty.confidence,
            method="BCa",
            batch=_BATCH,
            rng=np.random.default_rng(uncertainty.seed),
        )
    low, high = (float(bound) for bound in resampled.confidence_interval)
    if not np.isfinite([low, high]).all():
        low, high = np.quantile(resampled.bootstrap_distribution, uncertainty.tails)
    return Interval(value, float(low), float(high))


def paired_mean_difference(
    first: np.ndarray,
    second: np.ndarray,
    uncertainty: Uncertainty,
    groups: np.ndarray | None = None,
    clusters: np.ndarray | None = None,
) -> Interval:
    """Mean of first - second over clips that share a prompt (and seed), row by row."""
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape:
        raise ValueError(f"paired values must have one length, found {first.shape} and {second.shape}")
    return mean_interval(first - second, uncertainty, groups, clusters)


class Distance(Protocol):
    """A symmetric distance of two sides."""

    def __call__(self, gen: Features, real: Features) -> float:
        """The distance."""
        ...

    def without(self, side: Features, other: Features, block: np.ndarray) -> np.ndarray:
        """(blocks,) the distance of two sides if one lacks the clips of block 0, of block 1 …; block: (clips,)."""
        ...


@dataclass(frozen=True)
class _Frechet:
    ddof: int

    def __call__(self, gen: Features, real: Features) -> float:
        return between(_root(gen, self.ddof), _root(real, self.ddof))

    def without(self, side: Features, other: Features, block: np.ndarray) -> np.ndarray:
        against = _root(other, self.ddof)
        left = roots_without(side.values, block[side.groups], self.ddof)
        return np.array([between(own, against) for own in left])


class _Kernel:
    def __call__(self, gen: Features, real: Features) -> float:
        if min(gen.clips, real.clips) < 2:
            raise ValueError(f"KVD wants at least two clips a side, found {gen.clips} and {real.clips}")
        return _within(gen) + _within(real) - 2 * kernel_across(gen.values, real.values)

    def without(self, side: Features, other: Features, block: np.ndarray) -> np.ndarray:
        return kernel_distances_without(side.values, other.values, block[side.groups], side.groups, _within(other))


@lru_cache(maxsize=4)  # one reference is compared with many methods
def _root(side: Features, ddof: int) -> Root:
    return root(side.values, ddof)


@lru_cache(maxsize=4)
def _within(side: Features) -> float:
    return kernel_within(side.values, side.groups)


def fvd_distance(ddof: int) -> Distance:
    """FVD as a distance of two sides."""
    return _Frechet(ddof)


kvd_distance: Distance = _Kernel()


def distance_interval(distance: Distance, gen: Features, real: Features, uncertainty: Uncertainty) -> Interval:
    """A distance with its bootstrap interval over the clips of both sides.

    A side of fewer than three clips cannot be left without one of them: it gives NaN bounds.
    """
    return two_sided_interval(
        distance(gen, real),
        lambda block: distance.without(gen, real, block),
        lambda block: distance.without(real, gen, block),
        (gen.clips, real.clips),
        uncertainty,
    )


def paired_distance_difference(
    distance: Distance, first: Features, second: Features, real: Features, uncertainty: Uncertainty
) -> Interval:
    """distance(first) - distance(second) of two methods on the same prompts: the same clips of both are left out.

    Raises:
        ValueError: if the methods' clips are not the same, in the same order.
    """
    if not np.array_equal(first.groups, second.groups):
        raise ValueError(
            f"paired methods must have the same clips in the same order, found {len(first.groups)} and "
            f"{len(second.groups)} windows"
        )
    return two_sided_interval(
        distance(first, real) - distance(second, real),
        lambda block: distance.without(first, real, block) - distance.without(second, real, block),
        lambda block: distance.without(real, first, block) - distance.without(real, second, block),
        (first.clips, real.clips),
        uncertainty,
    )


Without = Callable[[np.ndarray], np.ndarray]  # the block of every clip -> a statistic without each block


def left_out_in_turn(statistic: Callable[[np.ndarray], float]) -> Without:
    """For a statistic of the clips that a mask (clips,) keeps, and that knows no quicker way."""
    return lambda block: np.array([statistic(block != i) for i in range(int(block.max()) + 1)])


def two_sided_interval(
    value: float,
    without_gen: Without,
    without_real: Without,
    clips: tuple[int, int],
    uncertainty: Uncertainty,
    blocks: int = BLOCKS,
) -> Interval:
    """A statistic of two sides with a bootstrap of the influences of their blocks of clips.

    Args:
        without_gen, without_real: the statistic when one side lacks a block of its clips. clips: of each side.
    """
    if min(clips) < 3 or not uncertainty.resamples:
        return Interval(value, float("nan"), float("nan"))
    rng, drawn = np.random.default_rng(uncertainty.seed), np.zeros(uncertainty.resamples)
    for without, n in zip((without_gen, without_real), clips, strict=True):
        moved = influences(without, n, rng, blocks)
        counts = rng.multinomial(len(moved), np.full(len(moved), 1 / len(moved)), size=uncertainty.resamples)
        drawn += counts @ moved / len(moved)
    low, high = np.quantile(drawn, uncertainty.tails)
    return Interval(value, value + float(low), value + float(high))


def influences(without: Without, clips: int, rng: np.random.Generator, blocks: int) -> np.ndarray:
    """(blocks,) how far each block of clips moves a statistic: (blocks - 1) times its value without the others' mean.

    Their mean is 0; their variance over the number of blocks, the jackknife's of the statistic. Of blocks there are at
    most as many as clips.
    """
    left = without(rng.permutation(clips) % min(blocks, clips))
    n = len(left)
    return -(n - 1) * (left - left.mean()) * np.sqrt(n / (n - 1))
