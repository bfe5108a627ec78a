"""Intervals for votes, which come in clusters: votes of one rater, and votes on one prompt, are alike.

Raters and prompts are crossed, so both are drawn anew: a vote counts as often as its rater was drawn times as often as
its prompt was. This is the pigeonhole bootstrap (Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics
1(2), 386-411): for a random sample of raters and of prompts its variance is right or too large, never too small by more
than a share of 1 / clusters; a binomial interval takes votes for independent. `benchmarks.study` measures both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from metrics.statistics.bootstrap import Interval, Uncertainty
from metrics.statistics.proportions import wilson

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Ratio:
    """sum of one thing over sum of another. draws: (resamples,) its values in the resamples, NaN where it has none.
    clusters: the smaller of the numbers of raters and of prompts."""

    value: float
    draws: np.ndarray
    clusters: int

    def interval(self, uncertainty: Uncertainty) -> Interval:
        """The value with the percentiles of its draws; NaN bounds where there are none."""
        known = self.draws[np.isfinite(self.draws)]
        if not len(known):
            return Interval(self.value, float("nan"), float("nan"))
        low, high = np.quantile(known, uncertainty.tails)
        return Interval(self.value, float(low), float(high))

    def share(self, uncertainty: Uncertainty) -> Interval:
        """The same of a share. Where all draws are alike, because every vote is, they say nothing: the interval is then
        Wilson's, of as many votes as there are clusters."""
        known = self.draws[np.isfinite(self.draws)]
        if not len(known) or np.ptp(known) > _ROUNDING:
            return self.interval(uncertainty)
        rate = wilson(round(self.value * self.clusters), self.clusters, uncertainty.confidence)
        return Interval(self.value, rate.low, rate.high)

    def p(self, expected: float) -> float:
        """Two-sided p that the value is `expected`: twice the share of draws on its smaller side, as the percentile
        interval has it. Never below 2 / (resamples + 1); NaN without draws."""
        known = self.draws[np.isfinite(self.draws)]
        if not len(known):
            return float("nan")
        sides = [(known <= expected + _ROUNDING).sum(), (known >= expected - _ROUNDING).sum()]
        return float(min(1.0, 2 * (1 + min(sides)) / (1 + len(known))))


@dataclass(frozen=True)
class Clusters:
    """The rater and the prompt of each of n rows. raters, prompts: (n,) codes 0 … R - 1 and 0 … P - 1."""

    raters: np.ndarray
    prompts: np.ndarray
    uncertainty: Uncertainty

    @classmethod
    def of(cls, votes: pd.DataFrame, uncertainty: Uncertainty) -> "Clusters":
        """The clusters of a table with columns rater and prompt, a row for each vote."""
        codes = [np.unique(votes[name].to_numpy(str), return_inverse=True)[1] for name in ("rater", "prompt")]
        return cls(*codes, uncertainty)

    @property
    def fewest(self) -> int:
        """The smaller of the numbers of raters and of prompts; 0 of no votes."""
        return min(int(codes.max()) + 1 if len(codes) else 0 for codes in (self.raters, self.prompts))

    @property
    def enough(self) -> bool:
        """Whether there are two raters and two prompts: of one alone nothing says how it would differ from others."""
        return self.fewest > 1

    @cached_property
    def _weights(self) -> list[np.ndarray]:
        """How often each rater (resamples, R), and each prompt (resamples, P), is drawn."""
        rng, n = np.random.default_rng(self.uncertainty.seed), self.uncertainty.resamples
        sizes = [int(codes.max()) + 1 for codes in (self.raters, self.prompts)]
        return [rng.multinomial(size, np.full(size, 1 / size), size=n).astype(float) for size in sizes]

    def sums(self, values: np.ndarray) -> np.ndarray:
        """(resamples, k): the sums of values (n, k) over the rows, in every resample; no resamples if not `enough`."""
        values = np.asarray(values, np.float64)
        if not self.enough or not self.uncertainty.resamples:
            return np.empty((0, values.shape[1]))
        raters, prompts = self._weights
        cells = np.zeros((values.shape[1], raters.shape[1], prompts.shape[1]))
        np.add.at(cells, (slice(None), self.raters, self.prompts), values.T)
        return np.stack([((raters @ cell) * prompts).sum(axis=1) for cell in cells], axis=1)

    def ratio(self, above: np.ndarray, below: np.ndarray | None = None) -> Ratio:
        """Sum of `above` (n,) over the sum of `below` (n,), by default the number of rows; NaN of nothing."""
        below = np.ones(len(above)) if below is None else np.asarray(below, np.float64)
        above = np.asarray(above, np.float64)
        drawn = self.sums(np.stack([above, below], axis=1))
        with np.errstate(invalid="ignore", divide="ignore"):
            draws = drawn[:, 0] / drawn[:, 1]
            return Ratio(float(np.divide(above.sum(), below.sum())), draws, self.fewest)


def mean_by(
    table: pd.DataFrame, value: str, by: Sequence[str], uncertainty: Uncertainty, share: bool = False
) -> pd.DataFrame:
    """The mean of a column for each group of rows, with its interval over raters and prompts.

    Args:
        table: columns rater, prompt, value and `by`, a row for each vote. share: whether values are in [0, 1].

    Returns:
        Columns `by`, votes, raters, value, low, high; groups in the order of their first row.
    """
    rows = []
    for key, own in table.groupby(list(by), sort=False, dropna=False):
        found = Clusters.of(own, uncertainty).ratio(own[value].to_numpy(float))
        interval = found.share(uncertainty) if share else found.interval(uncertainty)
        counts = {"votes": len(own), "raters": own.rater.nunique()}
        rows.append(dict(zip(by, key, strict=True)) | counts | vars(interval))
    return pd.DataFrame(rows, columns=[*by, "votes", "raters", "value", "low", "high"])
