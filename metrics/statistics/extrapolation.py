"""What a distance owes to the number of clips: FVD against n, and FVD∞.

The bias of FVD is linear in 1/n once the covariance has full rank (Chong & Forsyth 2020 for FID), so a line through
the values of subsets, drawn to 1/n = 0, is free of it. Which clips a subset takes follows from a seed and from the
features, not from the order of files.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from metrics.distances.fvd import between, fvd, root
from metrics.statistics.bootstrap import Interval, Uncertainty, fvd_distance, resampled
from metrics.statistics.sides import Features

SMALLEST = 512  # subsets below this are not on the line: 400 features need more clips than that for a full rank
_SIZES, _DRAWS = 4, 25  # points on the line, and draws of the subsets
_UNITS = 10  # the least number of units that a subset can be made of


def subsets(smallest: int = SMALLEST) -> str:
    """Which subsets `fvd_infinity` draws, in words, as fingerprints carry it."""
    return f"{_DRAWS} draws of {_SIZES} sizes, evenly in 1/n from all to {smallest} clips, ordered by features"


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
    rows, against, by_content = [], root(real, ddof), Features.of(gen).by_content
    for seed in seeds:
        order = by_content[np.random.default_rng(seed).permutation(len(gen))]
        distances = [between(root(gen[order[:size]], ddof), against) for size in sizes]
        rows += [{"n": size, "seed": seed, "fvd": value} for size, value in zip(sizes, distances, strict=True)]
    return pd.DataFrame(rows)


def fvd_infinity(
    gen: Features, real: Features, uncertainty: Uncertainty, ddof: int = 1, smallest: int = SMALLEST
) -> Interval | None:
    """FVD at infinitely many clips, by a line in 1/n, with a bootstrap interval.

    Subsets take the same share of both sides, so the bias that the finite real set brings is taken off too; they take
    clusters whole, because the bias depends on how alike clips are. The value is the mean over draws of the subsets.
    Its interval rests on the influences on the plain FVD, which are those on the limit to first order, and on the
    spread of the draws.

    Args:
        smallest: least number of clips in a subset.

    Returns:
        None if a side has fewer than twice the smallest number of clips, where a line has no hold.
    """
    clips = min(gen.clips, real.clips)
    if clips < 2 * smallest:
        return None
    inverse = np.linspace(1, clips / smallest, _SIZES)  # one over the share of the clips
    weights = np.linalg.pinv(np.c_[np.ones(_SIZES), inverse])[0]  # of the intercept of the least-squares line
    distance = fvd_distance(ddof)
    whole = distance(gen, real)
    limits = [
        weights @ [whole, *(fvd(*_subsets(gen, real, share, draw), ddof) for share in inverse[1:])]
        for draw in range(_DRAWS)
    ]
    value = float(np.mean(limits))
    if min(gen.drawn, real.drawn) < 3 or not uncertainty.resamples:
        return Interval(value, float("nan"), float("nan"))
    spread = float(np.var(limits, ddof=1)) / _DRAWS
    return resampled(value, distance.influences(gen, real), uncertainty, spread)


def _subsets(gen: Features, real: Features, inverse: float, seed: int) -> list[np.ndarray]:
    """The vectors of a share 1 / inverse of each side; those of one seed are nested."""
    parts = []
    for i, side in enumerate((gen, real)):
        whole = side if side.drawn / inverse >= _UNITS else side.apart
        order = whole.by_content[np.random.default_rng((seed, i)).permutation(whole.drawn)]
        kept = np.zeros(whole.drawn, bool)
        kept[order[: round(whole.drawn / inverse)]] = True
        parts.append(whole.values[kept[whole.units]])
    return parts
