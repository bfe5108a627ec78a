"""Success rates of independent items, with Wilson's interval; `metrics.statistics.clusters` has those that are not."""

from dataclasses import dataclass

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
