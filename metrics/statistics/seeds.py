"""A metric over sampling seeds, as papers print it: mean ± standard deviation, and the best of three."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BEST_OF = 3  # seeds, of which ETC reports the smallest FVD (its Appendix E.3): the best of more would be better still


@dataclass(frozen=True)
class SeedSummary:
    """A metric over n seeds: mean, standard deviation (n - 1; NaN of one), and the best of the first `best_of` seeds,
    three where there are so many; NaN where neither direction is better."""

    mean: float
    sd: float
    best: float
    best_of: int
    n: int


def over_seeds(values: Sequence[float], higher_is_better: bool | None) -> SeedSummary:
    """Summary of one value per seed, in the order of the seeds.

    Raises:
        ValueError: if there is none.
    """
    if not len(values):
        raise ValueError("no seed: expected at least one value")
    numbers = np.asarray(values, np.float64)
    sd = float(numbers.std(ddof=1)) if len(numbers) > 1 else float("nan")
    first = numbers[:BEST_OF]
    best = float("nan") if higher_is_better is None else float(first.max() if higher_is_better else first.min())
    return SeedSummary(float(numbers.mean()), sd, best, len(first), len(numbers))
