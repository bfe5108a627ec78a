"""The bootstrap over raters and prompts: against a literal one, and its coverage where a binomial interval fails."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from metrics.statistics.bootstrap import Uncertainty
from metrics.statistics.proportions import wilson
from metrics.user_study.clusters import Clusters, Ratio, mean_by

FEW = Uncertainty(resamples=50)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 5)), min_size=2, max_size=30))
@settings(max_examples=30)
def test_sums_are_those_of_rows_that_stand_as_often_as_they_were_drawn(rows: list[tuple[int, int, int]]) -> None:
    """Drawing codes with the same generator, and counting row by row."""
    table = pd.DataFrame(rows, columns=["rater", "prompt", "value"]).astype({"rater": str, "prompt": str})
    clusters = Clusters.of(table, FEW)
    found = clusters.sums(table[["value"]].to_numpy())
    if not clusters.enough:
        assert len(found) == 0
        return
    rng = np.random.default_rng(FEW.seed)
    drawn = []
    for name in ("rater", "prompt"):
        n = table[name].nunique()
        drawn.append(rng.multinomial(n, np.full(n, 1 / n), size=FEW.resamples))
    at = {name: {key: i for i, key in enumerate(sorted(set(table[name])))} for name in ("rater", "prompt")}
    for i in range(FEW.resamples):
        copies = [
            row.value * drawn[0][i][at["rater"][row.rater]] * drawn[1][i][at["prompt"][row.prompt]]
            for row in table.itertuples()
        ]
        assert found[i, 0] == pytest.approx(sum(copies))


def crossed(rng: np.random.Generator, raters: int, prompts: int, spread: float) -> np.ndarray:
    """(raters, prompts) votes that are yes with probability 0.6 over all raters and prompts, who differ."""
    own = rng.normal(0, spread, raters)[:, None] + rng.normal(0, spread, prompts)
    mean = norm.ppf(0.6) * np.sqrt(1 + 2 * spread**2)
    return (rng.random((raters, prompts)) < norm.cdf(mean + own)).astype(float)


def covered(spread: float, raters: int = 20, prompts: int = 16, studies: int = 150) -> tuple[float, float]:
    """The share of studies whose interval holds 0.6: of the bootstrap over clusters, and of Wilson's."""
    rng, hits = np.random.default_rng(1), np.zeros(2)
    rater, prompt = np.divmod(np.arange(raters * prompts), prompts)
    for seed in range(studies):
        votes = crossed(rng, raters, prompts, spread).ravel()
        own = Uncertainty(resamples=300, seed=seed)
        both = Clusters(rater, prompt, own).ratio(votes).interval(own), wilson(int(votes.sum()), len(votes))
        hits += [one.low <= 0.6 <= one.high for one in both]
    return tuple(hits / studies)


def test_clusters_are_covered_where_a_binomial_interval_is_too_narrow() -> None:
    """Over 150 studies one standard error of a coverage of 0.95 is 0.018."""
    by_clusters, binomial = covered(spread=0.7)
    assert by_clusters >= 0.9
    assert binomial < 0.75


def test_independent_votes_are_covered_too() -> None:
    by_clusters, binomial = covered(spread=0.0)
    assert by_clusters >= 0.93
    assert binomial >= 0.9


def test_p_and_interval_agree() -> None:
    """p is below 0.05 where the interval leaves the value out."""
    draws = np.random.default_rng(0).normal(0.55, 0.02, 2000)
    ratio, own = Ratio(0.55, draws, 20), Uncertainty(resamples=2000)
    interval = ratio.interval(own)
    for value in np.linspace(0.48, 0.62, 57):
        assert (ratio.p(value) < 0.05) == (not interval.low <= value <= interval.high)
    assert ratio.p(0.55) > 0.9
    assert ratio.p(2.0) == pytest.approx(2 / 2001)


def test_one_rater_says_nothing_of_others() -> None:
    table = pd.DataFrame({"rater": ["r"] * 4, "prompt": list("abcd"), "value": [0, 1, 1, 1], "method": "m"})
    (row,) = mean_by(table, "value", ["method"], FEW).to_dict("records")
    assert (row["value"], row["votes"], row["raters"]) == (0.75, 4, 1)
    assert np.isnan([row["low"], row["high"]]).all()
    assert np.isnan(Clusters.of(table, FEW).ratio(table.value.to_numpy()).p(0.5))


def test_a_ratio_of_nothing_is_no_number() -> None:
    table = pd.DataFrame({"rater": list("rrss"), "prompt": list("abab")})
    ratio = Clusters.of(table, FEW).ratio(np.zeros(4), np.zeros(4))
    assert np.isnan(ratio.value) and np.isnan(ratio.interval(FEW).low)


def test_votes_that_are_all_alike_have_an_interval() -> None:
    """Wilson's, of the fewer of raters and prompts; resamples of equal votes are equal."""
    votes = pd.DataFrame({"rater": list("aabbcc"), "prompt": list("xyxyxy")})
    own = Uncertainty(resamples=200)
    ratio = Clusters.of(votes, own).ratio(np.zeros(6))
    found, expected = ratio.share(own), wilson(0, 2)
    assert (found.value, found.low, found.high) == pytest.approx((0.0, expected.low, expected.high))
    assert ratio.interval(own).high == 0
