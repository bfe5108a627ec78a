"""Success rates: Wilson's interval for one, McNemar's exact test for two methods on the same items."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest


@dataclass(frozen=True)
class Rate:
    """successes out of n, with a confidence interval; NaN for n = 0."""

    successes: int
    n: int
    value: float
    low: float
    high: float


def wilson(successes: int, n: int, confidence: float = 0.95) -> Rate:
    """Success rate with Wilson's score interval (Wilson 1927), which stays inside [0, 1] and is sound for small n.

    Raises:
        ValueError: if not 0 <= successes <= n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must be in 0 … n = {n}, found {successes}")
    if n == 0:
        return Rate(0, 0, float("nan"), float("nan"), float("nan"))
    interval = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    return Rate(successes, n, successes / n, float(interval.low), float(interval.high))


@dataclass(frozen=True)
class McNemar:
    """Items that only the first, and only the second method got right, and the two-sided exact p."""

    only_first: int
    only_second: int
    p: float


def mcnemar(first: np.ndarray, second: np.ndarray) -> McNemar:
    """McNemar's exact test: given that the methods disagree on an item, is either as likely to be the right one?

    Args:
        first, second: (n,) bool, success on the same n items.

    Raises:
        ValueError: if the lengths differ.
    """
    first, second = np.asarray(first, bool), np.asarray(second, bool)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"outcomes must be two (n,) arrays of one length, found {first.shape} and {second.shape}")
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    discordant = only_first + only_second
    p = 1.0 if discordant == 0 else float(binomtest(only_first, discordant, 0.5).pvalue)
    return McNemar(only_first, only_second, p)
