"""p of a difference that has an interval and no test of its own, and p of several tests corrected for their number."""

import numpy as np
from scipy.stats import norm

from metrics.statistics.bootstrap import Interval


def interval_p(difference: Interval, confidence: float) -> float:
    """Two-sided p that a difference is 0, by the normal distribution whose spread its interval has: what remains for a
    difference of distances, which is no mean whose signs could be flipped. NaN without an interval; 1 for 0 exactly."""
    if difference.value == 0:
        return 1.0
    spread = (difference.high - difference.low) / (2 * norm.ppf((1 + confidence) / 2))
    if not spread > 0:
        return float("nan")
    return float(2 * norm.sf(abs(difference.value) / spread))


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down correction (Holm 1979, Scandinavian Journal of Statistics 6, 65-70) of p values (n,); NaN stays
    and is no test. The chance that any true hypothesis of the family has less than 0.05 is then at most 0.05, however
    the tests depend on one another."""
    p = np.asarray(p, np.float64)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    adjusted = np.full(len(p), np.nan)
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * p[order])) if len(order) else []
    return adjusted
