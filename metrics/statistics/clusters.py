"""Clips of one prompt are alike: intervals and tests that count prompts, or other clusters of clips.

What is estimated is the value over prompts like these: those at hand are taken for a sample, and are what is drawn and
flipped, with all their clips. Clips that were taken for independent would promise more than they hold: with an
intraclass correlation of 0.5, three clips of each of 22 prompts say as much as 33 clips. Where every clip is a cluster
of its own, these are Wilson's interval, Bonett and Price's and McNemar's exact test.
"""

import numpy as np
from scipy import stats

from metrics.statistics.bootstrap import Interval
from metrics.statistics.proportions import Rate, wilson

FLIPS = 9999  # random ones, where all are too many
_ALL_FLIPS = 14  # clusters of which all 2^n flips are tried
_ROUNDING = 1e-9  # relative: sums that differ by less are one sum
_BATCH = 1000


def effective_number(values: np.ndarray, clusters: np.ndarray) -> float:
    """How many independent observations say as much about the mean as n clustered ones: n over the design effect
    (Kish 1965), the variance of the mean by clusters over that of independent observations.

    Args:
        values (n,): numbers or bool. clusters (n,): whole numbers, equal within a cluster.

    Returns:
        At most n. The number of clusters where all values are equal, and so say nothing of how alike a cluster's are.
    """
    values, codes = _checked(values, clusters)
    n, count = len(values), int(codes.max()) + 1 if len(codes) else 0
    if count in (0, n):
        return float(n)
    residuals = values - values.mean()
    spread = float((residuals**2).sum())
    if count < 2 or spread <= _ROUNDING**2 * max(1.0, float((values**2).sum())):
        return float(count)
    sums = np.bincount(codes, residuals)
    design = count / (count - 1) * float((sums**2).sum()) / spread
    return n / max(design, 1.0)


def clustered_rate(outcomes: np.ndarray, clusters: np.ndarray, confidence: float = 0.95) -> Rate:
    """Share of yes with an interval that counts clusters: Wilson's of the effective number of observations, with
    Student's quantile at clusters - 1 degrees of freedom (Franco, Little, Louis & Slud 2019, Journal of Survey
    Statistics and Methodology 7, 334-364, compare such intervals).

    Args:
        outcomes (n,): bool. clusters (n,): whole numbers, equal within a cluster; n different ones give Wilson's own.

    Returns:
        NaN bounds for a single cluster of several outcomes, which does not say how clusters differ.
    """
    values, codes = _checked(outcomes, clusters)
    n, successes = len(values), int(values.sum())
    count = int(codes.max()) + 1 if n else 0
    if count == n:
        return wilson(successes, n, confidence)
    share = successes / n
    if count < 2:
        return Rate(successes, n, share, float("nan"), float("nan"))
    t = float(stats.t.ppf((1 + confidence) / 2, count - 1))
    ratio = t**2 / effective_number(values, codes)
    centre = (share + ratio / 2) / (1 + ratio)
    half = np.sqrt(ratio * share * (1 - share) + ratio**2 / 4) / (1 + ratio)
    return Rate(successes, n, share, float(max(0.0, centre - half)), float(min(1.0, centre + half)))


def paired_rate_difference(
    first: np.ndarray, second: np.ndarray, clusters: np.ndarray, confidence: float = 0.95
) -> Interval:
    """Difference first - second of two shares of yes on the same items, with the interval of Bonett & Price (2012,
    Journal of Educational and Behavioral Statistics 37, 479-488; recommended by Fagerland, Lydersen & Laake 2014), of
    the effective number of pairs and with Student's quantile, as in `clustered_rate`.

    Where the methods agree on every item it has a width still, unlike Newcombe's.

    Args:
        first, second (n,): bool, of the same items. clusters (n,): as in `clustered_rate`.

    Returns:
        In [-1, 1]; NaN bounds for a single cluster of several items, NaN for none.

    Raises:
        ValueError: if the lengths differ.
    """
    (a, codes), (b, _) = _checked(first, clusters), _checked(second, clusters)
    nan = float("nan")
    if not len(a):
        return Interval(nan, nan, nan)
    difference, count = a - b, int(codes.max()) + 1
    value, upper = float(difference.mean()), (1 + confidence) / 2
    if count < min(2, len(a)):
        return Interval(value, nan, nan)
    n = effective_number(difference, codes)
    quantile = float(stats.norm.ppf(upper) if count == len(a) else stats.t.ppf(upper, count - 1))
    only = [(n * float((difference == sign).mean()) + 1) / (n + 2) for sign in (1, -1)]
    centre = only[0] - only[1]
    half = quantile * np.sqrt((only[0] + only[1] - centre**2) / (n + 2))
    return Interval(value, float(max(-1.0, min(centre - half, value))), float(min(1.0, max(centre + half, value))))


def sign_flip(difference: np.ndarray, clusters: np.ndarray, seed: int = 0) -> float:
    """Two-sided p that paired differences are as likely to have the other sign, cluster by cluster: the share of flips
    of whole clusters that move the sum as far from 0.

    Exact for whole numbers, such as differences of yes and no (n clusters: McNemar's exact test), and for few clusters;
    else of 9,999 random flips and the one observed, so that it is never 0 (Phipson & Smyth 2010).

    Args:
        difference (n,): first - second of each item. clusters (n,): whole numbers, equal within a cluster. seed: of the
        random flips.

    Returns:
        In (0, 1]; NaN for no item.
    """
    values, codes = _checked(difference, clusters)
    if not len(values):
        return float("nan")
    sums = np.bincount(codes, values)
    sums = sums[np.abs(sums) > _ROUNDING * max(float(np.abs(values).max()), 1e-300)]
    if not len(sums):
        return 1.0
    whole = np.round(sums)
    if np.abs(sums - whole).max() <= _ROUNDING and np.abs(whole).sum() <= 100_000:
        return _flips_of_whole(np.abs(whole).astype(int), abs(int(whole.sum())))
    reached = abs(float(sums.sum())) - _ROUNDING * float(np.abs(sums).sum())
    if len(sums) <= _ALL_FLIPS:
        signs = 1 - 2 * ((np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums))) & 1)
        return float((np.abs(signs @ sums) >= reached).mean())
    rng, beyond = np.random.default_rng(seed), 0
    for start in range(0, FLIPS, _BATCH):
        signs = rng.integers(0, 2, (min(_BATCH, FLIPS - start), len(sums))) * 2 - 1
        beyond += int((np.abs(signs @ sums) >= reached).sum())
    return (1 + beyond) / (1 + FLIPS)


def _flips_of_whole(sizes: np.ndarray, reached: int) -> float:
    """Share of all flips of whole numbers (k,) > 0 whose sum is at least `reached` from 0, by adding one at a time to
    the distribution of the sum of those that are positive."""
    total = int(sizes.sum())
    chance = np.zeros(total + 1)
    chance[0] = 1.0
    for size in sizes:
        moved = np.zeros_like(chance)
        moved[size:] = chance[:-size]
        chance = (chance + moved) / 2
    away = np.abs(2 * np.arange(total + 1) - total)
    return float(min(1.0, chance[away >= reached].sum()))


def _checked(values: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values (n,) as float, and codes 0 … of their clusters."""
    numbers, own = np.asarray(values, np.float64), np.asarray(clusters)
    if numbers.ndim != 1 or own.shape != numbers.shape:
        raise ValueError(
            f"values and clusters must be two (n,) arrays of one length, found {numbers.shape}, {own.shape}"
        )
    return numbers, np.unique(own, return_inverse=True)[1]
