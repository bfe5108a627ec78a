"""Intervals: against written-out resamples, and by how often they hold the truth in simulations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.bootstrap import (
    Features,
    Uncertainty,
    _weighted_fvd,
    fvd_interval,
    jackknife,
    kvd_interval,
    mean_interval,
    paired_fvd_difference,
    paired_kvd_difference,
    paired_mean_difference,
)
from metrics.fvd import fvd
from metrics.kvd import kernel_distance

FEW = Uncertainty(resamples=100)


@given(seed=st.integers(0, 10**6), n=st.integers(3, 12), m=st.integers(3, 12), d=st.integers(1, 6),
       ddof=st.sampled_from([0, 1]))  # fmt: skip
@settings(deadline=None)
def test_weighted_fvd_is_that_of_copies(seed: int, n: int, m: int, d: int, ddof: int) -> None:
    rng = np.random.default_rng(seed)
    sides = [(rng.normal(size=(k, d)), rng.multinomial(k, np.full(k, 1 / k))) for k in (n, m)]
    copies = [np.repeat(values, counts, axis=0) for values, counts in sides]
    assert _weighted_fvd(*sides, ddof) == pytest.approx(fvd(*copies, ddof), rel=1e-6, abs=1e-6)


@given(seed=st.integers(0, 10**6), n=st.integers(3, 30))
@settings(deadline=None, max_examples=30)
def test_intervals_hold_their_value(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    gen, real = (Features.of(rng.normal(size=(n, 3))) for _ in range(2))
    distances = fvd_interval(gen, real, 1, FEW), kvd_interval(gen, real, FEW)
    for found, value in zip(distances, (fvd(gen.values, real.values), kernel_distance(gen.values, real.values)),
                            strict=True):  # fmt: skip
        assert found.value == pytest.approx(value)
        assert found.low <= found.value <= found.high
    assert distances[0].low >= 0


def coverage(draws: int, truth: float, interval: object) -> float:
    held = [low <= truth <= high for low, high in (interval(i) for i in range(draws))]  # type: ignore[operator]
    return float(np.mean(held))


def test_the_means_interval_holds_the_mean() -> None:
    """95 % intervals of 30 skewed values hold the mean in at least 88 % of 300 draws."""

    def interval(i: int) -> tuple[float, float]:
        found = mean_interval(np.random.default_rng(i).exponential(size=30), FEW)
        return found.low, found.high

    assert 0.88 <= coverage(300, 1.0, interval) <= 1


@pytest.mark.parametrize("kind", ["fvd", "kvd"])
def test_the_distances_intervals_hold_what_is_expected_at_this_number(kind: str) -> None:
    """The truth is the mean of the distance over many data sets of the same size, here 40 clips a side."""

    def sides(i: int) -> tuple[Features, Features]:
        rng = np.random.default_rng(i)
        return Features.of(rng.normal(0.7, 1, size=(40, 4))), Features.of(rng.normal(size=(40, 4)))

    measure = fvd if kind == "fvd" else kernel_distance
    truth = float(np.mean([measure(*(side.values for side in sides(10_000 + i))) for i in range(2000)]))

    def interval(i: int) -> tuple[float, float]:
        found = fvd_interval(*sides(i), 1, FEW) if kind == "fvd" else kvd_interval(*sides(i), FEW)
        return found.low, found.high

    assert 0.88 <= coverage(200, truth, interval) <= 1


def test_pairing_narrows_a_difference() -> None:
    """Two methods that fail on the same prompts: the paired interval is far narrower than each method's own."""
    rng = np.random.default_rng(0)
    prompts = rng.normal(0, 1, size=(60, 4))
    real = Features.of(rng.normal(size=(60, 4)))
    first, second = (Features.of(prompts + shift + 0.05 * rng.normal(size=(60, 4))) for shift in (0.5, 0.3))
    for difference, own in (
        (paired_fvd_difference(first, second, real, 1, FEW), fvd_interval(first, real, 1, FEW)),
        (paired_kvd_difference(first, second, real, FEW), kvd_interval(first, real, FEW)),
    ):
        assert difference.low > 0
        assert difference.high - difference.low < 0.6 * (own.high - own.low)
    exact = paired_fvd_difference(first, first, real, 1, FEW)
    assert (exact.value, exact.low, exact.high) == (0, 0, 0)


def test_differences_of_means_are_paired() -> None:
    values = np.random.default_rng(1).normal(0, 10, size=50)
    found = paired_mean_difference(values + 1, values, FEW)
    assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))
    with pytest.raises(ValueError, match=r"found \(2,\) and \(3,\)"):
        paired_mean_difference(np.zeros(2), np.zeros(3), FEW)
    with pytest.raises(ValueError, match="same clips in the same order, found 2 and 3"):
        paired_fvd_difference(*(Features.of(np.zeros((n, 1))) for n in (2, 3, 4)), 1, FEW)


def test_windows_of_a_clip_stay_together() -> None:
    groups = np.array([0, 0, 1, 2, 2, 2])
    counts = Features.of(np.zeros((6, 1)), groups).draw(FEW, 0)
    assert (counts[:, 0] == counts[:, 1]).all()
    assert (counts[:, 3] == counts[:, 5]).all()
    assert (counts[:, [0, 2, 3]].sum(axis=1) == 3).all()
    windows = mean_interval(np.array([1.0, 3.0, 10.0]), FEW, np.array([0, 0, 1]))
    assert windows.value == 6  # each clip counts once


def test_too_little_gives_no_interval() -> None:
    assert np.isnan(mean_interval(np.empty(0), FEW).value)
    one = mean_interval(np.array([2.0]), FEW)
    assert one.value == 2
    assert np.isnan(one.low)
    assert mean_interval(np.full(5, 3.0), FEW).high == 3
    with pytest.raises(ValueError, match="0 resamples"):
        Uncertainty(0)
    with pytest.raises(ValueError, match=r"confidence 1\.5"):
        Uncertainty(10, 1.5)


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    """Leaving out one clip at a time, the jackknife's error is the textbook's s / sqrt(n)."""
    values = np.random.default_rng(2).normal(size=20)
    found = jackknife(lambda kept: float(values[kept].mean()), 20, float(values.mean()), 0.95, blocks=20)
    error = values.std(ddof=1) / np.sqrt(20)
    assert found.high - found.value == pytest.approx(2.093 * error, rel=1e-3)  # Student's t, 19 degrees of freedom
