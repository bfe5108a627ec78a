"""Two methods' outcomes of the same prompt or mixture, and seed, side by side; the test on those that are yes or no."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from metrics.scoring.metric import Comparison
from metrics.statistics.clusters import paired_rate_difference, sign_flip
from pipeline.evaluation.sample import MethodSample

_KEYS = {"verdicts": ["mixture", "seed"], "judged": ["prompt_id", "seed"]}


@dataclass(frozen=True)
class Paired:
    """One column of both, (n,) each, in the order of prompt or mixture, and seed. clusters (n,): what is flipped."""

    first: np.ndarray
    second: np.ndarray
    clusters: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        """(n,) first - second."""
        return self.first.astype(float) - self.second.astype(float)

    @property
    def by_cluster(self) -> np.ndarray:
        """The same, added up in each cluster."""
        return np.bincount(self.clusters, self.difference)

    def p(self, seed: int) -> float:
        """Two-sided, of flipping the signs of whole clusters."""
        return sign_flip(self.difference, self.clusters, seed)


def side_by_side(
    first: MethodSample, second: MethodSample, table: Literal["verdicts", "judged"], column: str
) -> Paired | None:
    """A column of a table of both, a row for each key that both have; None if there is none."""
    tables = getattr(first, table), getattr(second, table)
    if not all(len(own) and column in own for own in tables):
        return None
    sides = [own.drop_duplicates(_KEYS[table]).set_index(_KEYS[table])[column].dropna() for own in tables]
    shared = sides[0].index.intersection(sides[1].index).sort_values()
    if not len(shared):
        return None
    return Paired(*(side.loc[shared].to_numpy() for side in sides), first.clusters(shared.to_frame(index=False)))


def compare_outcomes(
    first: MethodSample, second: MethodSample, table: Literal["verdicts", "judged"], column: str
) -> Comparison | None:
    """The difference of two shares of yes on the same items, with its interval and p by clusters."""
    paired = side_by_side(first, second, table, column)
    return paired and compared_outcomes(paired, first)


def compared_outcomes(paired: Paired, how: MethodSample) -> Comparison:
    """The same of what is side by side. how: whose uncertainty is taken."""
    own = how.uncertainty
    sides = paired.first.astype(bool), paired.second.astype(bool)
    difference = paired_rate_difference(*sides, paired.clusters, own.confidence)
    return Comparison(difference, len(paired.first), paired.p(own.seed), len(pd.unique(paired.clusters)))
