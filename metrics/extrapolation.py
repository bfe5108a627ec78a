"""What a distance owes to the number of clips: FVD against n, FVD∞, and several seeds.

The bias of FVD is linear in 1/n once the covariance has full rank (Chong & Forsyth 2020 for FID), so a line through
the values of subsets, drawn to 1/n = 0, is free of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metrics.bootstrap import Interval, jackknife
from metrics.fvd import fvd

SMALLEST = 512  # subsets below this are not on the line: 400 features need more clips than that for a full rank
_SIZES = 8


@dataclass(frozen=True)
class SeedSummary:
    """A metric over several seeds: mean, standard deviation (n - 1), and the minimum, which ETC reports for three."""

    mean: float
    sd: float
    minimum: float
    n: int


def over_seeds(values: Sequence[float]) -> SeedSummary:
    """Summary of one value per seed.

    Raises:
        ValueError: if there is none.
    """
    if not len(values):
        raise ValueError("no seed: expected at least one value")
    numbers = np.asarray(values, np.float64)
    sd = float(numbers.std(ddof=1)) if len(numbers) > 1 else float("nan")
    return SeedSummary(float(numbers.mean()), sd, float(numbers.min()), len(numbers))


def fvd_by_clips(
    gen: np.ndarray, real: np.ndarray, sizes: Sequence[int], seeds: Sequence[int], ddof: int = 1
) -> pd.DataFrame:
    """FVD of random subsets of the generated clips against all real ones (ETC's Figure 17).

    Args:
        gen (n, d), real (m, d): features. sizes: numbers of clips, each 2 … n. seeds: one subset of each size for each.

    Returns:
        Columns n, seed, fvd. Subsets of one seed are nested.

    Raises:
        ValueError: if a size is out of range.
    """
    wrong = [size for size in sizes if not 2 <= size <= len(gen)]
    if wrong:
        raise ValueError(f"sizes {wrong} are out of range: expected 2 … {len(gen)} clips")
    rows = []
    for seed in seeds:
        order = np.random.default_rng(seed).permutation(len(gen))
        rows += [{"n": size, "seed": seed, "fvd": fvd(gen[order[:size]], real, ddof)} for size in sizes]
    return pd.DataFrame(rows)


def fvd_infinity(
    gen: np.ndarray,
    real: np.ndarray,
    confidence: float = 0.95,
    ddof: int = 1,
    smallest: int = SMALLEST,
    repeats: int = 2,
) -> Interval | None:
    """FVD at infinitely many clips, by a line in 1/n, with a jackknife interval over blocks of clips.

    Subsets take the same share of both sides, so the bias that the finite real set brings is taken off too.

    Args:
        gen (n, d), real (m, d): features. smallest: least number of clips in a subset. repeats: subsets of each size.

    Returns:
        None if a side has fewer than twice the smallest number, where a line has no hold.
    """
    if min(len(gen), len(real)) < 2 * smallest:
        return None
    n = max(len(gen), len(real))

    def intercept(kept: np.ndarray) -> float:
        sides = gen[kept[: len(gen)]], real[kept[: len(real)]]
        shares, values = zip(*_shares_and_values(*sides, ddof, smallest, repeats), strict=True)
        return float(np.polyfit(1 / np.array(shares), values, 1)[1])

    value = intercept(np.ones(n, bool))
    return jackknife(intercept, n, value, confidence)


def _shares_and_values(
    gen: np.ndarray, real: np.ndarray, ddof: int, smallest: int, repeats: int
) -> Iterator[tuple[float, float]]:
    """(share of the clips, FVD) of random subsets; shares are even in 1/share."""
    least = smallest / min(len(gen), len(real))
    shares = 1 / np.linspace(1, 1 / least, _SIZES)
    for seed in range(repeats):
        rng = np.random.default_rng(seed)
        orders = rng.permutation(len(gen)), rng.permutation(len(real))
        for share in shares:
            parts = [side[order[: round(share * len(side))]] for side, order in zip((gen, real), orders, strict=True)]
            yield float(share), fvd(*parts, ddof)
