"""Intervals: by how often they hold the truth, and how wide they are, in simulations."""

import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from metrics.distances import kvd
from metrics.distances.fvd import frechet_distance, fvd
from metrics.distances.kvd import kernel_distance, polynomial_kernel
from metrics.statistics.bootstrap import (
    Distance,
    Interval,
    Uncertainty,
    distance_interval,
    fvd_distance,
    kvd_distance,
    mean_interval,
    paired_distance_difference,
    paired_mean_difference,
    resampled,
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


def weighted_fvd(gen: Features, real: Features, weights: list[np.ndarray], ddof: int) -> float:
    """FVD of vectors with weights, which scale the moments: at equal weights it is the plain one."""
    sides = []
    for side, own in zip((gen, real), weights, strict=True):
        share = own[side.units] / own[side.units].sum()
        mean, n = share @ side.values, len(side.values)
        centred = side.values - mean
        sides += [mean, centred.T @ (centred * share[:, None]) * n / (n - ddof)]
    return frechet_distance(*sides)


def weighted_kvd(gen: Features, real: Features, weights: list[np.ndarray]) -> float:
    """KVD of vectors with weights: of pairs their products."""
    gen_weights, real_weights = (own[side.units] for side, own in zip((gen, real), weights, strict=True))

    def mean(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
        return float((polynomial_kernel(x, y) * weight).sum() / weight.sum())

    def within(side: Features, own: np.ndarray) -> float:
        return mean(side.values, side.values, np.outer(own, own) * (side.groups[:, None] != side.groups))

    across = mean(gen.values, real.values, np.outer(gen_weights, real_weights))
    return within(gen, gen_weights) + within(real, real_weights) - 2 * across


WEIGHTED = {
    "fvd": (fvd_distance(1), partial(weighted_fvd, ddof=1)),
    "fvd, ddof 0": (fvd_distance(0), partial(weighted_fvd, ddof=0)),
    "kvd": (kvd_distance, weighted_kvd),
}


def derivative(value: Callable[[list[np.ndarray]], float], units: list[int]) -> list[np.ndarray]:
    """The number of units times the derivative by the weight of each, of both sides, by differences."""
    found = [np.zeros(n) for n in units]
    for side, n in enumerate(units):
        for unit in range(n):
            both = []
            for step in (1e-5, -1e-5):
                weights = [np.ones(k) for k in units]
                weights[side][unit] += step
                both.append(value(weights))
            found[side][unit] = n * (both[0] - both[1]) / 2e-5
    return found


@pytest.mark.parametrize("name", WEIGHTED)
@pytest.mark.parametrize(("d", "clustered"), [(3, False), (3, True), (40, True)])
@pytest.mark.parametrize("paired", [False, True])
def test_influences_are_derivatives_by_weights(name: str, d: int, clustered: bool, paired: bool) -> None:
    """Of clips with one and two windows, alone and in clusters, with fewer and more vectors than dimensions; also of
    the difference of two methods. KVD's are shrunk, all of a side alike."""
    rng, (distance, weighted) = np.random.default_rng(d), WEIGHTED[name]
    groups = np.sort(np.r_[np.arange(14), np.arange(0, 14, 2)])
    clusters = np.arange(14) % 5 if clustered else None
    first, second = (Features(rng.normal(s, 1, size=(21, d)), groups, clusters) for s in (0.5, 0.2))
    real = Features.of(rng.normal(size=(17, d)))
    minus = second if paired else None

    def value(weights: list[np.ndarray]) -> float:
        return weighted(first, real, weights) - (weighted(second, real, weights) if paired else 0)

    expected = derivative(value, [first.drawn, real.drawn])
    assert first.drawn == (5 if clustered else 14)
    for found, own in zip(distance.influences(first, real, minus), expected, strict=True):
        scale = np.abs(own).max()
        shrunk = (found @ own) / (own @ own)
        assert (0.7 <= shrunk <= 1) if name == "kvd" else shrunk == pytest.approx(1, abs=1e-4)
        assert found == pytest.approx(own * shrunk, abs=1e-4 * scale)
        assert abs(found.sum()) < 1e-9 * scale


def test_blocks_of_the_kernel_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, clips = np.random.default_rng(0), np.arange(23)
    side = Features(rng.normal(size=(23, 5)), clips, clips // 3)
    whole = kvd_distance.influences(side, side)
    monkeypatch.setattr(kvd, "_BLOCK", 4)
    for found, expected in zip(kvd_distance.influences(side, side), whole, strict=True):
        assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("distance", DISTANCES.values(), ids=DISTANCES)
def test_the_order_of_clips_and_the_names_of_clusters_do_not_matter(distance: Distance) -> None:
    rng, order = np.random.default_rng(1), np.random.default_rng(2).permutation(30)
    values, clusters = rng.normal(size=(30, 3)), np.arange(30) // 2
    real = Features.of(rng.normal(size=(20, 3)))
    one = distance_interval(distance, Features(values, np.arange(30), clusters), real, FEW)
    other = Features(values[order], np.arange(30), 100 - clusters[order])
    found = distance_interval(distance, other, real, FEW)
    assert vars(found) == pytest.approx(vars(one), abs=1e-9)
    means = [mean_interval(values[rows, 0], FEW, clusters=clusters[rows]) for rows in (np.arange(30), order)]
    assert vars(means[0]) == pytest.approx(vars(means[1]), abs=1e-12)


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
    """Against many data sets of 53 clips a side: their mean is held, and the width is that of their spread.

    For equal distributions (shift 0) FVD varies in the second order only, and its intervals are 2^½ times too wide.
    """

    def sides(i: int) -> tuple[Features, Features]:
        rng = np.random.default_rng(i)
        return Features.of(rng.normal(shift, 1, size=(53, 4))), Features.of(rng.normal(size=(53, 4)))

    values = [distance(*sides(10_000 + i)) for i in range(1500)]
    found = [distance_interval(distance, *sides(i), FEW) for i in range(200)]
    needed = np.quantile(values, 0.975) - np.quantile(values, 0.025)
    width = np.mean([one.high - one.low for one in found]) / needed
    assert coverage(found, float(np.mean(values))) >= 0.85  # the cube of KVD's kernel has heavy tails
    assert 0.88 <= width <= (1.15 if shift or distance is kvd_distance else 1.6)


@pytest.mark.parametrize("distance", DISTANCES.values(), ids=DISTANCES)
def test_clusters_are_drawn_whole(distance: Distance) -> None:
    """Four clips to a prompt, four fifths of whose variance are the prompt's: by clip the interval is too narrow."""
    prompt = np.repeat(np.arange(25), 4)

    def sides(i: int) -> tuple[Features, Features]:
        rng = np.random.default_rng(i)
        gen = 0.8 + (2 * rng.normal(size=(25, 3))[prompt] + rng.normal(size=(100, 3))) / np.sqrt(5)
        return Features(gen, np.arange(100), prompt), Features.of(rng.normal(size=(200, 3)))

    truth = float(np.mean([distance(*sides(10_000 + i)) for i in range(300)]))
    drawn = [sides(i) for i in range(100)]
    by_prompt = [distance_interval(distance, *both, FEW) for both in drawn]
    by_clip = [distance_interval(distance, gen.apart, real, FEW) for gen, real in drawn]
    assert coverage(by_prompt, truth) >= 0.87
    assert coverage(by_clip, truth) <= coverage(by_prompt, truth) - 0.05


def test_means_of_clusters_hold_the_mean() -> None:
    """20 prompts of one to five clips each, half of whose variance is the prompt's."""
    found: dict[bool, list[Interval]] = {True: [], False: []}
    for i in range(150):
        rng = np.random.default_rng(i)
        prompt = np.repeat(np.arange(20), rng.integers(1, 6, size=20))
        values = rng.normal(size=20)[prompt] + rng.normal(size=len(prompt))
        for clustered, intervals in found.items():
            intervals.append(mean_interval(values, FEW, clusters=prompt if clustered else None))
    assert 0.9 <= coverage(found[True], 0) <= 0.98
    assert coverage(found[False], 0) <= 0.85


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
    unlike = [Features(np.zeros((4, 1)), np.arange(4), clusters) for clusters in (None, np.zeros(4, int))]
    with pytest.raises(ValueError, match="in the same clusters"):
        paired_distance_difference(kvd_distance, *unlike, Features.of(np.zeros((4, 1))), FEW)
    with pytest.raises(ValueError, match="3 clusters for 2 clips"):
        mean_interval(np.zeros(2), FEW, clusters=np.arange(3))


def test_windows_of_a_clip_stay_together() -> None:
    features = Features.of(np.arange(6)[:, None], np.array([0, 0, 1, 2, 2, 2]))
    assert (features.clips, features.drawn) == (3, 3)
    clustered = Features(features.values, features.groups, np.array([7, 2, 7]))
    assert clustered.units.tolist() == [1, 1, 0, 1, 1, 1]
    assert clustered.drawn == 2
    windows = mean_interval(np.array([1.0, 3.0, 10.0]), FEW, np.array([0, 0, 1]))
    assert windows.value == 6  # each clip counts once
    assert mean_interval(np.array([1.0, 3.0, 10.0]), FEW, np.array([0, 0, 1]), np.array([4, 4])).value == 6


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


def test_resamples_of_influences_have_students_width() -> None:
    """Of a mean of normal values: that of the t interval, within the noise of the bootstrap."""
    values = np.random.default_rng(2).normal(size=12)
    found = resampled(values.mean(), [values - values.mean()], Uncertainty(20_000))
    half = stats.t.ppf(0.975, 11) * values.std(ddof=1) / np.sqrt(12)
    assert found.high - found.low == pytest.approx(2 * half, rel=0.06)
    none = resampled(1.0, [np.zeros(5), np.zeros(4)], FEW)
    assert (none.low, none.value, none.high) == (1, 1, 1)
    noisy = resampled(0.0, [np.zeros(50)], Uncertainty(20_000), spread=4.0)
    assert noisy.high == pytest.approx(1.96 * 2, rel=0.05)


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
