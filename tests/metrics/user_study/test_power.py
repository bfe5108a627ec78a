"""Power: against the exact test by simulation and by enumeration, and design effects against simulated clusters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from metrics.statistics.bootstrap import Uncertainty
from metrics.user_study.clusters import Clusters
from metrics.user_study.power import (
    Correlations,
    correlations,
    design_effect,
    power,
    raters_needed,
    votes_for_two,
    votes_needed,
)


@given(st.integers(1, 60), st.floats(0.01, 0.99))
def test_power_is_the_probability_of_what_the_test_rejects(votes: int, share: float) -> None:
    rejected = [k for k in range(votes + 1) if binomtest(k, votes).pvalue <= 0.05]
    assert power(share, votes) == pytest.approx(binom.pmf(rejected, votes, share).sum(), abs=1e-9)


@pytest.mark.parametrize("share", [0.55, 0.65, 0.8, 0.2])
def test_so_many_votes_are_enough_and_one_less_is_not(share: float) -> None:
    votes = votes_needed(share)
    assert power(share, votes - 1) < 0.8 <= power(share, np.arange(votes, 3 * votes)).min()


def test_simulated_studies_find_it_four_times_in_five() -> None:
    rng, votes = np.random.default_rng(0), votes_needed(0.65)
    found = [binomtest(int(wins), votes).pvalue <= 0.05 for wins in rng.binomial(votes, 0.65, 2000)]
    assert np.mean(found) == pytest.approx(power(0.65, votes), abs=0.03)


def test_many_votes_are_counted_by_the_normal_approximation() -> None:
    """Whose power is within a hundredth of the exact test's."""
    assert power(0.508, votes_needed(0.508)) == pytest.approx(0.8, abs=0.01)
    assert votes_needed(0.508) > 20_000 > votes_needed(0.515)


def test_only_votes_for_either_of_two_decide() -> None:
    """With 20 and 30 % of the votes, half of them decide, by 40 to 60."""
    assert votes_for_two(0.2, 0.3) == 2 * votes_needed(0.6)
    assert votes_for_two(0.3, 0.3) is None


@pytest.mark.parametrize("shares", [(-0.1, 0.5), (0.6, 0.6), (0.0, 0.0)])
def test_what_are_no_shares_is_refused(shares: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="expected two in"):
        votes_for_two(*shares)
    with pytest.raises(ValueError, match=r"share is 0.5, expected"):
        votes_needed(0.5)


def clustered(rng: np.random.Generator, raters: int, prompts: int, rho: Correlations) -> np.ndarray:
    """(raters, prompts) votes of 0 or 1 with mean 0.6, of which two of one rater, or on one prompt, correlate by rho:
    each copies its rater's coin, its prompt's, or throws its own."""
    shape, square = (raters, prompts), np.sqrt([rho.raters, rho.prompts])
    choice = rng.random(shape)
    coins = rng.random(raters)[:, None] < 0.6, rng.random(prompts) < 0.6
    own = rng.random(shape) < 0.6
    of_rater = np.where(choice < square[0], coins[0], own)
    return np.where(choice >= 1 - square[1], np.broadcast_to(coins[1], shape), of_rater)


RHO = Correlations(0.1, 0.06)


def test_the_design_effect_is_what_clusters_do_to_the_variance() -> None:
    rng = np.random.default_rng(0)
    shares = [clustered(rng, 25, 20, RHO).mean() for _ in range(3000)]
    independent = 0.6 * 0.4 / 500
    assert np.var(shares) / independent == pytest.approx(design_effect(500, 20, 20, RHO), rel=0.1)


def test_correlations_are_found_again() -> None:
    rng = np.random.default_rng(0)
    rater, prompt = np.divmod(np.arange(25 * 20), 20)
    clusters = Clusters(rater, prompt, Uncertainty())
    found = [correlations(clustered(rng, 25, 20, RHO).ravel(), clusters) for _ in range(200)]
    assert np.mean([one.raters for one in found]) == pytest.approx(RHO.raters, abs=0.02)
    assert np.mean([one.prompts for one in found]) == pytest.approx(RHO.prompts, abs=0.02)
    assert correlations(np.ones(500), clusters) == Correlations(0, 0)


def test_raters_who_are_needed_are_worth_the_votes() -> None:
    raters = raters_needed(97, 20, 20, RHO)
    assert raters is not None
    worth = [n * 20 / design_effect(n * 20, 20, 20, RHO) for n in (raters - 1, raters)]
    assert worth[0] < 97 <= worth[1]
    assert raters_needed(97, 20, 20, Correlations(0, 0)) == 5


def test_no_number_of_raters_replaces_prompts() -> None:
    """20 prompts of votes that correlate by 0.06 are worth 333 votes at most."""
    assert raters_needed(340, 20, 20, RHO) is None
    assert raters_needed(320, 20, 20, RHO) is not None
    assert 1e6 / design_effect(1e6, 20, 20, Correlations(0, 0.06)) < 20 / 0.06
