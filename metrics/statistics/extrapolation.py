"""What a distance owes to the number of clips: FVD against n, FVD∞, and several seeds.

The bias of FVD is linear in 1/n once the covariance has full rank (Chong & Forsyth 2020 for FID), so a line through
the values of subsets, drawn to 1/n = 0, is free of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metrics.distances.fvd import between, fvd, root
from metrics.statistics.bootstrap import Interval, Uncertainty, left_out_in_turn, two_sided_interval
from metrics.statistics.sides import Features

SMALLEST = 512  # subsets below this are not on the line: 400 features need more clips than that for a full rank
_SIZES, _REPEATS = 8, 3  # points on the line, and draws of the subsets
_BLOCKS = 10  # blocks that are left out on each side: each takes a whole line


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
    rows, against = [], root(real, ddof)
    for seed in seeds:
        order = np.random.default_rng(seed).permutation(len(gen))
        distances = [between(root(gen[order[:size]], ddof), against) for size in sizes]
        rows += [{"n": size, "seed": seed, "fvd": value} for size, value in zip(sizes, distances, strict=True)]
    return pd.DataFrame(rows)


def fvd_infinity(
    gen: Features, real: Features, uncertainty: Uncertainty, ddof: int = 1, smallest: int = SMALLEST
) -> Interval | None:
    """FVD at infinitely many clips, by a line in 1/n, with a bootstrap interval.

    Subsets take the same share of both sides, so the bias that the finite real set brings is taken off too.

    Args:
        smallest: least number of clips in a subset.

    Returns:
        None if a side has fewer than twice the smallest number of clips, where a line has no hold.
    """
    if min(gen.clips, real.clips) < 2 * smallest:
        return None
    # The order in which subsets take clips is drawn once: what leaving out a block changes is then the block's doing.
    clips = gen.clips, real.clips
    orders = [
        [np.random.default_rng((seed, i)).permutation(n) for i, n in enumerate(clips)] for seed in range(_REPEATS)
    ]

    def limit(*kept: np.ndarray) -> float:
        points: list[tuple[float, float]] = []
        for order in orders:
            remaining = [own[mask[own]] for own, mask in zip(order, kept, strict=True)]
            points += _line(gen, real, remaining, ddof, smallest)
        inverse, values = zip(*points, strict=True)
        return float(np.polyfit(inverse, values, 1)[1])

    every = np.ones(gen.clips, bool), np.ones(real.clips, bool)
    return two_sided_interval(
        limit(*every),
        left_out_in_turn(lambda kept: limit(kept, every[1])),
        left_out_in_turn(lambda kept: limit(every[0], kept)),
        clips,
        uncertainty,
        _BLOCKS,
    )


def _line(
    gen: Features, real: Features, orders: Sequence[np.ndarray], ddof: int, smallest: int
) -> Iterator[tuple[float, float]]:
    """(1 / share of the clips, FVD) of subsets that take the first clips of each order."""
    for inverse in np.linspace(1, min(len(order) for order in orders) / smallest, _SIZES):
        parts = []
        for side, order in zip((gen, real), orders, strict=True):
            kept = np.zeros(side.clips, bool)
            kept[order[: round(len(order) / inverse)]] = True
            parts.append(side.keep(kept).values)
        yield float(inverse), fvd(*parts, ddof)
