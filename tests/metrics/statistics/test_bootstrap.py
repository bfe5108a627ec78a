"""Intervals: by how often they hold the truth, and how wide they are, in simulations."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.distances.fvd import fvd
from metrics.distances.kvd import kernel_distance
from metrics.statistics.bootstrap import (
    Distance,
    Interval,
    Uncertainty,
    distance_interval,
    fvd_distance,
    influences,
    kvd_distance,
    left_out_in_turn,
    mean_interval,
    paired_distance_difference,
    paired_mean_difference,
)
from metrics.statistics.sides import Features

FEW = Uncertainty(resamples=200)
DISTANCES = {"fvd": fvd_distance(1), "kvd": kvd_distance}


@given(seed=st.integers(0, 10**6), n=st.integers(3, 30))
@settings(max_examples=20)
def test_intervals_hold_their_value(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    gen, real = (Features.of(rng.normal(size=(n, 3))) for _ in range(2))
    for distance in DISTANCES.values():
        found = distance_interval(distance, gen, real, FEW)
        assert found.value == distance(gen, real)
        assert found.low <= found.value <= found.high


@pytest.mark.parametrize("clips", [12, 40])
@pytest.mark.parametrize("name", DISTANCES)
def test_leaving_out_blocks_at_once_is_leaving_out_one_after_the_other(name: str, clips: int) -> None:
    """With one and two windows a clip; FVD takes its quick way to both."""
    rng, distance = np.random.default_rng(clips), DISTANCES[name]
    groups = np.sort(np.r_[np.arange(clips), np.arange(0, clips, 2)])
    side = Features(rng.normal(0.5, 1, size=(len(groups), 4)), groups)
    other = Features.of(rng.normal(size=(30, 4)))
    block = rng.permutation(clips) % 7
    expected = left_out_in_turn(lambda kept: distance(side.keep(kept), other))(block)
    assert distance.without(side, other, block) == pytest.approx(expected, rel=1e-9)


def test_a_singular_covariance_has_a_distance_without_each_block() -> None:
    """Features that repeat one another: Cholesky fails, QR does not."""
    rng = np.random.default_rng(3)
    side = Features.of(np.repeat(rng.normal(size=(40, 2)), 2, axis=1))
    other, block = Features.of(rng.normal(size=(30, 4))), np.arange(40) % 5
    expected = left_out_in_turn(lambda kept: fvd_distance(1)(side.keep(kept), other))(block)
    assert fvd_distance(1).without(side, other, block) == pytest.approx(expected, rel=1e-6)


def test_the_distances_are_those_of_the_functions() -> None:
    """Also for several windows of a clip, and clips that are too few."""
    rng, groups = np.random.default_rng(5), np.array([0, 0, 1, 2, 2, 3])
    gen, real = Features(rng.normal(size=(6, 3)), groups), Features.of(rng.normal(size=(8, 3)))
    assert kvd_distance(gen, real) == kernel_distance(gen.values, real.values, groups)
    assert fvd_distance(0)(gen, real) == fvd(gen.values, real.values, 0)
    with pytest.raises(ValueError, match="at least two clips a side, found 1 and 8"):
        kvd_distance(Features.of(np.zeros((1, 3))), real)


def coverage(intervals: list[Interval], truth: float) -> float:
    return float(np.mean([found.low <= truth <= found.high for found in intervals]))


def test_the_means_interval_holds_the_mean() -> None:
    """95 % intervals of 30 skewed values hold the mean in at least 88 % of 300 draws."""
    found = [mean_interval(np.random.default_rng(i).exponential(size=30), FEW) for i in range(300)]
    assert 0.88 <= coverage(found, 1.0) <= 0.99


@pytest.mark.parametrize("distance", DISTANCES.values(), ids=DISTANCES)
@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_the_distances_intervals_are_neither_too_narrow_nor_too_wide(distance: Distance, shift: float) -> None:
    """Against many data sets of 40 clips a side: their mean is held, and the width is that of their spread.

    For equal distributions (shift 0) both distances vary in the second order only, and the intervals are too wide by up
    to two thirds.
    """

    def sides(i: int) -> tuple[Features, Features]:
        rng = np.random.default_rng(i)
        return Features.of(rng.normal(shift, 1, size=(40, 4))), Features.of(rng.normal(size=(40, 4)))

    values = [distance(*sides(10_000 + i)) for i in range(1500)]
    found = [distance_interval(distance, *sides(i), FEW) for i in range(80)]
    needed = np.quantile(values, 0.975) - np.quantile(values, 0.025)
    width = np.mean([one.high - one.low for one in found]) / needed
    assert coverage(found, float(np.mean(values))) >= 0.88
    assert 0.85 <= width <= (1.25 if shift else 1.7)


def test_pairing_narrows_a_difference() -> None:
    """Two methods that fail on the same prompts: the paired interval is far narrower than each method's own."""
    rng = np.random.default_rng(0)
    prompts = rng.normal(0, 1, size=(60, 4))
    real = Features.of(rng.normal(size=(60, 4)))
    first, second = (Features.of(prompts + shift + 0.05 * rng.normal(size=(60, 4))) for shift in (0.5, 0.3))
    for distance in DISTANCES.values():
        difference = paired_distance_difference(distance, first, second, real, FEW)
        own = distance_interval(distance, first, real, FEW)
        assert difference.value == pytest.approx(distance(first, real) - distance(second, real))
        assert difference.low > 0
        assert difference.high - difference.low < 0.6 * (own.high - own.low)
        same = paired_distance_difference(distance, first, first, real, FEW)
        assert (same.value, same.low, same.high) == (0, 0, 0)


def test_differences_of_means_are_paired() -> None:
    values = np.random.default_rng(1).normal(0, 10, size=50)
    found = paired_mean_difference(values + 1, values, FEW)
    assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))
    with pytest.raises(ValueError, match=r"found \(2,\) and \(3,\)"):
        paired_mean_difference(np.zeros(2), np.zeros(3), FEW)
    with pytest.raises(ValueError, match="same clips in the same order, found 2 and 3"):
        paired_distance_difference(kvd_distance, *(Features.of(np.zeros((n, 1))) for n in (2, 3, 4)), FEW)


def test_windows_of_a_clip_stay_together() -> None:
    features = Features.of(np.arange(6)[:, None], np.array([0, 0, 1, 2, 2, 2]))
    assert features.clips == 3
    assert features.keep(np.array([True, False, True])).values.ravel().tolist() == [0, 1, 3, 4, 5]
    windows = mean_interval(np.array([1.0, 3.0, 10.0]), FEW, np.array([0, 0, 1]))
    assert windows.value == 6  # each clip counts once


def test_too_little_gives_no_interval() -> None:
    assert np.isnan(mean_interval(np.empty(0), FEW).value)
    one = mean_interval(np.array([2.0]), FEW)
    assert one.value == 2
    assert np.isnan(one.low)
    assert mean_interval(np.full(5, 3.0), FEW).high == 3
    assert np.isnan(mean_interval(np.arange(5), Uncertainty(0)).low)
    assert np.isnan(distance_interval(kvd_distance, *[Features.of(np.eye(4))] * 2, Uncertainty(0)).low)
    with pytest.raises(ValueError, match="-1 resamples"):
        Uncertainty(-1)
    with pytest.raises(ValueError, match=r"confidence 1\.5"):
        Uncertainty(10, 1.5)


def test_the_influences_of_a_mean_spread_as_its_standard_error() -> None:
    """Leaving out one clip at a time, their variance is the textbook's: s² / n is that of the mean."""
    values = np.random.default_rng(2).normal(size=20)
    found = influences(
        left_out_in_turn(lambda kept: float(values[kept].mean())), 20, np.random.default_rng(0), blocks=20
    )
    assert found.mean() == pytest.approx(0, abs=1e-9)
    assert (found**2).sum() / 20**2 == pytest.approx(values.var(ddof=1) / 20)


def test_a_side_of_two_clips_has_no_interval() -> None:
    two, more = (Features.of(np.random.default_rng(0).normal(size=(n, 2))) for n in (2, 5))
    assert np.isnan(distance_interval(kvd_distance, two, more, FEW).low)


def test_means_of_many_clips_fit_into_memory() -> None:
    """scipy's BCa would hold the square of their number."""
    tracemalloc.start()
    mean_interval(np.random.default_rng(0).normal(size=5000), Uncertainty(50))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6
