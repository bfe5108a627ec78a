"""Clustered rates and tests: what they become for independent clips, for copies, and by all flips."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from metrics.statistics.clusters import FLIPS, clustered_rate, effective_number, paired_rate_difference, sign_flip
from metrics.statistics.proportions import wilson

BITS = st.lists(st.booleans(), min_size=2, max_size=30)
PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


def alike(rng: np.random.Generator, clusters: int, clips: int, share: float, correlation: float) -> np.ndarray:
    """(clusters, clips) yes or no, of beta-binomial clusters with this intraclass correlation."""
    spread = (1 - correlation) / correlation
    return rng.random((clusters, clips)) < rng.beta(share * spread, (1 - share) * spread, clusters)[:, None]


@given(BITS, st.sampled_from([0.9, 0.95]))
def test_a_cluster_for_every_clip_is_wilsons_interval(outcomes: list[bool], confidence: float) -> None:
    codes = np.random.default_rng(0).permutation(len(outcomes)) * 3
    found = clustered_rate(np.array(outcomes), codes, confidence)
    assert found == wilson(sum(outcomes), len(outcomes), confidence)


@given(st.lists(st.booleans(), min_size=3, max_size=30), st.integers(2, 5))
def test_copies_of_a_clip_say_nothing_new(outcomes: list[bool], copies: int) -> None:
    """Clusters of equal clips count once: up to what an estimated variance costs."""
    values, codes = np.repeat(outcomes, copies), np.repeat(np.arange(len(outcomes)), copies)
    n = len(outcomes)
    found = effective_number(values, codes)
    assert found == pytest.approx(n if len(set(outcomes)) == 1 else n - 1)  # of n - 1 degrees of freedom
    rate = clustered_rate(values, codes)
    alone = wilson(sum(outcomes), n)
    assert rate.low <= alone.low + 1e-12 and alone.high - 1e-12 <= rate.high
    assert (rate.successes, rate.n) == (sum(outcomes) * copies, n * copies)


@given(BITS.flatmap(lambda bits: st.tuples(st.just(bits), st.lists(st.integers(0, 9), min_size=30, max_size=30))))
def test_rates_stay_between_0_and_1_and_do_not_hang_on_names(drawn: tuple[list[bool], list[int]]) -> None:
    outcomes, codes = np.array(drawn[0]), np.array(drawn[1][: len(drawn[0])])
    found = clustered_rate(outcomes, codes)
    if len(set(codes.tolist())) == 1:
        assert np.isnan([found.low, found.high]).all()
        return
    assert 0 <= found.low <= found.value <= found.high <= 1
    turned = clustered_rate(outcomes[::-1], 100 - codes[::-1])
    assert (turned.low, turned.high) == pytest.approx((found.low, found.high))
    assert effective_number(outcomes, codes) <= len(outcomes)


def test_the_effective_number_is_what_the_spread_of_means_says() -> None:
    """Of 4,000 draws of 60 clips in 20 clusters: the spread of their mean is that of so many independent clips."""
    rng = np.random.default_rng(1)
    draws = [alike(rng, 20, 3, 0.4, 0.54) for _ in range(4000)]
    numbers = [effective_number(draw.ravel(), np.repeat(np.arange(20), 3)) for draw in draws[:400]]
    spread = np.var([draw.mean() for draw in draws])
    assert np.mean(numbers) == pytest.approx(0.4 * 0.6 / spread, rel=0.08)
    assert 0.4 * 0.6 / spread == pytest.approx(60 / (1 + 2 * 0.54), rel=0.06)  # Kish's formula


def test_clustered_intervals_hold_their_value_where_wilsons_do_not() -> None:
    """`python -m benchmarks.clusters` has more draws and more settings."""
    rng, codes = np.random.default_rng(2), np.repeat(np.arange(40), 6)
    held = np.zeros(2)
    for _ in range(300):
        outcomes = alike(rng, 40, 6, 0.3, 0.54).ravel()
        intervals = clustered_rate(outcomes, codes), wilson(int(outcomes.sum()), len(outcomes))
        held += [interval.low <= 0.3 <= interval.high for interval in intervals]
    assert held[0] / 300 > 0.91
    assert held[1] / 300 < 0.8


def test_of_no_clip_and_of_one_cluster_there_is_no_interval() -> None:
    assert np.isnan(clustered_rate(np.array([]), np.array([])).value)
    single = clustered_rate(np.array([True, False]), np.array([1, 1]))
    assert single.value == 0.5 and np.isnan(single.low)
    with pytest.raises(ValueError, match=r"of one length, found \(2,\), \(3,\)"):
        clustered_rate(np.zeros(2), np.zeros(3))


@given(PAIRS)
def test_flips_of_single_clips_are_mcnemars_exact_test(pairs: list[tuple[bool, bool]]) -> None:
    first, second = np.array(pairs).T
    only, other = int((first & ~second).sum()), int((~first & second).sum())
    expected = binomtest(only, only + other).pvalue if only + other else 1.0
    assert sign_flip(first.astype(float) - second, np.arange(len(pairs))) == pytest.approx(expected)


def all_flips(sums: np.ndarray) -> float:
    """The share of all 2^k flips as far from 0."""
    totals = np.array([np.dot(sums, signs) for signs in product([1, -1], repeat=len(sums))])
    return float((np.abs(totals) >= abs(sums.sum()) - 1e-9).mean())


@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 7)), min_size=1, max_size=30), st.booleans())
def test_flips_of_clusters_are_all_flips(rows: list[tuple[int, int]], whole: bool) -> None:
    difference, codes = np.array(rows, float).T
    difference = difference if whole else difference / 4 + 0.1
    sums = np.array([difference[codes == code].sum() for code in set(codes.tolist())])
    assert sign_flip(difference, codes.astype(int)) == pytest.approx(all_flips(sums))


def test_random_flips_are_close_to_all_flips_and_never_nothing() -> None:
    rng = np.random.default_rng(3)
    difference = rng.normal(0.45, 1, 18)
    found = sign_flip(difference, np.arange(18))
    assert found == pytest.approx(all_flips(difference), abs=0.01)
    assert sign_flip(difference, np.arange(18), seed=5) != found
    assert sign_flip(rng.normal(9, 1, 40), np.arange(40)) == pytest.approx(1 / (1 + FLIPS))
    assert sign_flip(np.zeros(5), np.arange(5)) == 1
    assert np.isnan(sign_flip(np.array([]), np.array([])))


def test_equal_clips_of_a_prompt_are_one_observation() -> None:
    """Of nine pairs of three prompts, all in one direction, three are counted: 2 / 2^3."""
    assert sign_flip(np.ones(9), np.repeat(np.arange(3), 3)) == pytest.approx(0.25)
    assert sign_flip(np.ones(9), np.arange(9)) == pytest.approx(2 / 2**9)


def bonett_price(only_first: int, only_second: int, n: int) -> tuple[float, float]:
    """By the printed formula: one is added to both counts, two to the number of pairs."""
    p, q = (only_first + 1) / (n + 2), (only_second + 1) / (n + 2)
    half = norm.ppf(0.975) * np.sqrt((p + q - (p - q) ** 2) / (n + 2))
    return max(-1.0, p - q - half), min(1.0, p - q + half)


@given(PAIRS)
def test_a_paired_difference_is_bonett_and_prices_for_single_clips(pairs: list[tuple[bool, bool]]) -> None:
    first, second = np.array(pairs).T
    counts = int((first & ~second).sum()), int((~first & second).sum()), len(pairs)
    found = paired_rate_difference(first, second, np.arange(len(pairs)))
    assert found.value == pytest.approx((counts[0] - counts[1]) / counts[2])
    assert (found.low, found.high) == pytest.approx(bonett_price(*counts))
    assert found.low <= found.value <= found.high
    assert found.low < found.high
    turned = paired_rate_difference(second, first, np.arange(len(pairs)))
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_paired_differences_of_alike_pairs_hold_their_value() -> None:
    """Prompts differ in how much the first method gains on them: clips counted as independent hold it too seldom."""
    rng, codes, held = np.random.default_rng(4), np.repeat(np.arange(40), 6), np.zeros(2)
    for _ in range(300):
        first = (np.arange(40)[:, None] % 4 < 2) & (rng.random((40, 6)) < rng.integers(0, 2, (40, 1)))
        second = rng.random((40, 6)) < 0.2 * rng.integers(0, 2, (40, 1))
        intervals = [paired_rate_difference(first.ravel(), second.ravel(), c) for c in (codes, np.arange(240))]
        held += [interval.low <= 0.15 <= interval.high for interval in intervals]
    assert held[0] / 300 > 0.91
    assert held[1] / 300 < 0.85
