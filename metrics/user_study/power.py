"""How many votes tell two methods apart, and how many raters that takes when votes come in clusters.

The test is the exact binomial test of `metrics.user_study.preferences`, two-sided. Of clustered votes each is worth
less by the design effect (Kish 1965, Survey Sampling): with n votes, m of each rater and n / P on each of P prompts,
the variance of a share is 1 + (m - 1) rho_raters + (n / P - 1) rho_prompts times that of independent votes, rho being
the correlation of two votes of one rater, or on one prompt. Votes of ever more raters on the same prompts therefore
never count as more than P / rho_prompts independent ones.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom, norm

from metrics.user_study.clusters import Clusters

POWER, LEVEL = 0.8, 0.05
_MANY = 20_000  # votes from which the normal approximation is as good as the exact test


@dataclass(frozen=True)
class Correlations:
    """Of two votes of one rater, and of two on one prompt; in [0, 1)."""

    raters: float
    prompts: float


def power(share: float, votes: int | np.ndarray, level: float = LEVEL) -> np.ndarray:
    """Probability that the exact two-sided binomial test against one half rejects, for votes that prefer one method
    with probability `share`."""
    votes = np.asarray(votes)
    lowest = binom.ppf(level / 2, votes, 0.5) - 1  # P(X <= lowest) < level / 2 <= P(X <= lowest + 1)
    lowest = np.where(binom.cdf(lowest + 1, votes, 0.5) <= level / 2, lowest + 1, lowest)
    return binom.cdf(lowest, votes, share) + binom.cdf(lowest, votes, 1 - share)


def votes_needed(share: float, wanted: float = POWER, level: float = LEVEL) -> int:
    """The least number of votes from which on that test has the wanted power, for a share of the votes that decide.

    The power of an exact test falls now and then as votes are added: from this number on it stays above.

    Raises:
        ValueError: if share is one half, or not in [0, 1].
    """
    if not 0 <= share <= 1 or share == 0.5:
        raise ValueError(f"share is {share}, expected a number in [0, 1] other than 0.5")
    away = abs(share - 0.5)
    about = ((norm.ppf(1 - level / 2) / 2 + norm.ppf(wanted) * np.sqrt(share * (1 - share))) / away) ** 2
    if about > _MANY:
        return int(np.ceil(about))
    votes = np.arange(1, int(1.5 * about) + 60)
    short = np.flatnonzero(power(share, votes, level) < wanted)
    return int(votes[short[-1]] + 1) if len(short) else 1


def votes_for_two(first: float, second: float, wanted: float = POWER, level: float = LEVEL) -> int | None:
    """Votes for the best of several that tell two methods of these shares apart: only those for either of them decide.

    None if the shares are equal.

    Raises:
        ValueError: if the shares are negative, or add up to more than 1 or to nothing.
    """
    if min(first, second) < 0 or not 0 < first + second <= 1 + 1e-9:
        raise ValueError(f"shares are {first} and {second}, expected two in [0, 1] that add up to at most 1")
    if first == second:
        return None
    decides = first + second
    return int(np.ceil(votes_needed(first / decides, wanted, level) / decides))


def design_effect(votes: float, per_rater: float, prompts: int, rho: Correlations) -> float:
    """The factor by which clusters multiply the variance of a share."""
    return 1 + (per_rater - 1) * rho.raters + max(votes / prompts - 1, 0) * rho.prompts


def raters_needed(votes: int, per_rater: float, prompts: int, rho: Correlations) -> int | None:
    """Raters of `per_rater` votes each, spread evenly over prompts, who are worth so many independent votes.

    None if no number of raters is: more prompts are needed.
    """
    left = 1 - votes * rho.prompts / prompts
    if left <= 0:
        return None
    total = votes * (1 + (per_rater - 1) * rho.raters - rho.prompts) / left
    return int(np.ceil(max(total, votes) / per_rater))


def correlations(values: np.ndarray, clusters: Clusters) -> Correlations:
    """The two correlations from votes, by the mean product of all pairs in a cluster; below 0 counts as 0.

    Args:
        values: (n,) what the votes say, 0 or 1 for instance.
    """
    away = np.asarray(values, np.float64) - np.mean(values)
    variance = float(np.mean(away**2)) if len(away) else 0.0
    return Correlations(*(_within(away, codes, variance) for codes in (clusters.raters, clusters.prompts)))


def _within(away: np.ndarray, codes: np.ndarray, variance: float) -> float:
    if variance == 0:
        return 0.0
    sums, squares, sizes = (np.bincount(codes, weights=w) for w in (away, away**2, np.ones(len(away))))
    pairs = float((sizes * (sizes - 1)).sum())
    found = float((sums**2 - squares).sum()) / pairs / variance if pairs else 0.0
    return float(np.clip(found, 0.0, 0.99))
