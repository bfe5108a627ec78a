"""Uncertainty from the clips at hand: bootstrap intervals, and paired ones for the difference of two methods.

Means over clips use scipy's BCa interval. A distance between distributions is biased upwards by every copy that a
resample holds, so its resamples say how the value *spreads*, not where it lies: their quantiles are shifted so that
their mean is the measured value. Such an interval is for the expected value at this number of clips, which is what a
comparison at equal numbers needs; the bias itself is the business of `metrics.extrapolation`.

Clips are what is drawn: the windows of one clip stay together (`groups`).
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from metrics.fvd import fvd
from metrics.kvd import weighted_kernel_distance

_ROUNDING = 1e-12  # relative: values that differ by less are one value


@dataclass(frozen=True)
class Uncertainty:
    """How intervals are made: number of resamples, confidence in (0, 1), seed of the draws."""

    resamples: int = 500
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.resamples < 1 or not 0 < self.confidence < 1:
            raise ValueError(
                f"{self.resamples} resamples at confidence {self.confidence}: expected at least 1, and a confidence "
                "between 0 and 1"
            )


@dataclass(frozen=True)
class Interval:
    """A value with its confidence interval; NaN bounds where the data give none."""

    value: float
    low: float
    high: float


def mean_interval(values: np.ndarray, how: Uncertainty, groups: np.ndarray | None = None) -> Interval:
    """Mean over clips of a per-clip value (n,), each clip's windows averaged first, with scipy's BCa interval."""
    values = np.asarray(values, np.float64)
    if groups is not None and len(values):
        values = np.bincount(groups, values) / np.bincount(groups)
    if len(values) == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    value = float(values.mean())
    if len(values) < 2:
        return Interval(value, float("nan"), float("nan"))
    if np.ptp(values) <= _ROUNDING * np.abs(values).max():
        return Interval(value, value, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where BCa is degenerate the percentiles below stand in
        found = stats.bootstrap(
            (values,), np.mean, n_resamples=how.resamples, confidence_level=how.confidence, method="BCa",
            rng=np.random.default_rng(how.seed),
        )  # fmt: skip
    low, high = (float(bound) for bound in found.confidence_interval)
    if not np.isfinite([low, high]).all():
        low, high = np.quantile(found.bootstrap_distribution, _tails(how))
    return Interval(value, float(low), float(high))


def paired_mean_difference(
    first: np.ndarray, second: np.ndarray, how: Uncertainty, groups: np.ndarray | None = None
) -> Interval:
    """Mean of first - second over clips that share a prompt (and seed), row by row."""
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape:
        raise ValueError(f"paired values must have one length, found {first.shape} and {second.shape}")
    return mean_interval(first - second, how, groups)


@dataclass(frozen=True)
class Features:
    """Feature vectors (n, d) of one side, and the clip that each belongs to (n,), 0 … clips - 1."""

    values: np.ndarray
    groups: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, groups: np.ndarray | None = None) -> "Features":
        """Features of one window a clip, unless `groups` says otherwise."""
        return cls(np.asarray(values, np.float64), np.arange(len(values)) if groups is None else groups)

    def draw(self, how: Uncertainty, stream: int) -> np.ndarray:
        """(resamples, n) counts of every vector in resamples of as many clips as there are."""
        clips = int(self.groups.max()) + 1
        rng = np.random.default_rng((how.seed, stream))
        return rng.multinomial(clips, np.full(clips, 1 / clips), size=how.resamples)[:, self.groups]


_GEN, _REAL = 0, 1  # streams of random numbers: the same generated clips are drawn for every method, for pairing


def fvd_interval(gen: Features, real: Features, ddof: int, how: Uncertainty) -> Interval:
    """FVD with the spread of its resamples; both sides are drawn."""
    drawn = _fvd_draws(gen, real, ddof, how)
    return _centred(fvd(gen.values, real.values, ddof), drawn, how, floor=0.0)


def paired_fvd_difference(first: Features, second: Features, real: Features, ddof: int, how: Uncertainty) -> Interval:
    """FVD(first) - FVD(second) of two methods on the same prompts; a resample holds the same prompts of both."""
    _check_paired(first, second)
    value = fvd(first.values, real.values, ddof) - fvd(second.values, real.values, ddof)
    return _centred(value, _fvd_draws(first, real, ddof, how) - _fvd_draws(second, real, ddof, how), how)


def kvd_interval(gen: Features, real: Features, how: Uncertainty) -> Interval:
    """KVD with the spread of its resamples; both sides are drawn."""
    ones = [np.ones((1, len(side.values))) for side in (gen, real)]
    value = float(weighted_kernel_distance(gen.values, real.values, *ones)[0])
    return _centred(value, _kvd_draws(gen, real, how), how)


def paired_kvd_difference(first: Features, second: Features, real: Features, how: Uncertainty) -> Interval:
    """KVD(first) - KVD(second) of two methods on the same prompts."""
    _check_paired(first, second)
    value = kvd_interval(first, real, Uncertainty(1)).value - kvd_interval(second, real, Uncertainty(1)).value
    return _centred(value, _kvd_draws(first, real, how) - _kvd_draws(second, real, how), how)


def jackknife(
    statistic: Callable[[np.ndarray], float], clips: int, value: float, confidence: float, blocks: int = 20
) -> Interval:
    """Interval by leaving out one block of clips at a time, for statistics that copies of a clip would spoil.

    Args:
        statistic: of the clips that a mask (clips,) keeps. value: the statistic of all. blocks: at most `clips`.
    """
    blocks = min(blocks, clips)
    block = np.random.default_rng(0).permutation(clips) % blocks
    left = np.array([statistic(block != i) for i in range(blocks)])
    error = np.sqrt((blocks - 1) / blocks * ((left - left.mean()) ** 2).sum())
    reach = float(stats.t.ppf((1 + confidence) / 2, blocks - 1) * error)
    return Interval(value, value - reach, value + reach)


def _fvd_draws(gen: Features, real: Features, ddof: int, how: Uncertainty) -> np.ndarray:
    pairs = zip(gen.draw(how, _GEN), real.draw(how, _REAL), strict=True)
    return np.array([_weighted_fvd((gen.values, g), (real.values, r), ddof) for g, r in pairs])


def _kvd_draws(gen: Features, real: Features, how: Uncertainty) -> np.ndarray:
    return weighted_kernel_distance(gen.values, real.values, gen.draw(how, _GEN), real.draw(how, _REAL))


def _weighted_fvd(gen: tuple[np.ndarray, np.ndarray], real: tuple[np.ndarray, np.ndarray], ddof: int) -> float:
    """FVD of (vectors, how often each occurs), without copying them; like `fvd` up to rounding, and faster."""
    (mean1, root1), (mean2, root2) = (_root(*side, ddof) for side in (gen, real))
    product = root1 @ root2.T
    if len(product) > product.shape[1]:
        product = product.T
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(product @ product.T), 0, None)).sum()
    shift = mean1 - mean2
    return float(shift @ shift + (root1**2).sum() + (root2**2).sum() - 2 * cross)


def _root(values: np.ndarray, counts: np.ndarray, ddof: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (d,), and R (at most d rows, d) with Rᵀ R the covariance."""
    kept = counts > 0
    values, counts, n = values[kept], counts[kept], counts.sum()
    mean = counts @ values / n
    rows = (values - mean) * np.sqrt(counts / max(n - ddof, 1))[:, None]
    return mean, rows if len(rows) <= rows.shape[1] else np.linalg.qr(rows, mode="r")


def _centred(value: float, drawn: np.ndarray, how: Uncertainty, floor: float = -np.inf) -> Interval:
    """Quantiles of the resamples, shifted so that their mean is the measured value."""
    drawn = drawn[np.isfinite(drawn)]  # a resample of a single clip, over and over, has no distance
    if not len(drawn):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(drawn - drawn.mean(), _tails(how))
    return Interval(value, max(value + float(low), floor), value + float(high))


def _tails(how: Uncertainty) -> list[float]:
    return [(1 - how.confidence) / 2, (1 + how.confidence) / 2]


def _check_paired(first: Features, second: Features) -> None:
    if not np.array_equal(first.groups, second.groups):
        raise ValueError(
            f"paired methods must have the same clips in the same order, found {len(first.groups)} and "
            f"{len(second.groups)} windows"
        )
