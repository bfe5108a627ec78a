"""Kernel video distance: the squared maximum mean discrepancy of features under a polynomial kernel.

Bińkowski et al. 2018 (KID) on I3D features: k(x, y) = (x·y / d + 1)³, estimated without bias, so that its expectation
does not depend on the number of clips and a value near zero may be negative. Values are those of the formula; some
papers print them times 1,000.
"""

import numpy as np

_BLOCK = 1024  # rows of the kernel matrix held at once


def polynomial_kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(x·y / d + 1)³ of feature vectors (n, d) and (m, d), as (n, m)."""
    base = x @ y.T / x.shape[1] + 1
    return base * base * base  # a power takes ten times as long


def kernel_distance(
    gen: np.ndarray, real: np.ndarray, gen_groups: np.ndarray | None = None, real_groups: np.ndarray | None = None
) -> float:
    """Unbiased squared MMD of feature vectors (n, d) and (m, d), float64.

    Args:
        gen_groups, real_groups: the clip of every vector, where a clip has several (windows). Vectors of one clip are
            alike, so pairs of them are left out as pairs of a vector with itself are; None: every vector is a clip.

    Raises:
        ValueError: if a side has fewer than two clips, or the widths differ.
    """
    gen, real = np.asarray(gen, np.float64), np.asarray(real, np.float64)
    sides = (gen, gen_groups), (real, real_groups)
    groups = [np.arange(len(side)) if own is None else np.asarray(own) for side, own in sides]
    if min(len(np.unique(own)) for own in groups) < 2 or gen.shape[1] != real.shape[1]:
        raise ValueError(f"KVD wants (n, d) and (m, d) of at least two clips each, found {gen.shape} and {real.shape}")
    return kernel_within(gen, groups[0]) + kernel_within(real, groups[1]) - 2 * kernel_across(gen, real)


def kernel_within(side: np.ndarray, groups: np.ndarray) -> float:
    """Mean kernel over a side's pairs of vectors (n, d) of different clips; groups: (n,) as for `kernel_distance`."""
    return _mean(side, side, groups, groups)


def kernel_across(gen: np.ndarray, real: np.ndarray) -> float:
    """Mean kernel over the pairs of two sides."""
    return _mean(gen, real, np.arange(len(gen)), None)


def _mean(x: np.ndarray, y: np.ndarray, x_groups: np.ndarray, y_groups: np.ndarray | None) -> float:
    """Mean kernel over pairs (of different clips, if both sides' clips are given), a block of rows at a time."""
    total, pairs = 0.0, 0
    for i in range(0, len(x), _BLOCK):
        kernel = polynomial_kernel(x[i : i + _BLOCK], y)
        if y_groups is None:
            total, pairs = total + kernel.sum(), pairs + kernel.size
        else:
            kept = x_groups[i : i + _BLOCK, None] != y_groups
            total, pairs = total + kernel[kept].sum(), pairs + kept.sum()
    return float(total / pairs)


def kernel_distances_without(
    side: np.ndarray, other: np.ndarray, block: np.ndarray, groups: np.ndarray, within_other: float
) -> np.ndarray:
    """(blocks,) `kernel_distance` of a side (n, d) without block 0, without block 1 … to the other (m, d).

    The kernel is computed once, and summed by blocks; which side is called generated makes no difference.

    Args:
        block: (n,) of every vector. groups: (n,) as for `kernel_distance`. within_other: the other's `kernel_within`.
    """
    side, other = np.asarray(side, np.float64), np.asarray(other, np.float64)
    own, own_pairs = (_without_each(sums) for sums in _sums_by_block(side, block, groups))
    across = np.bincount(block, _row_sums(side, other))
    rest = len(side) - np.bincount(block)
    return own / own_pairs + within_other - 2 * (across.sum() - across) / (rest * len(other))


def _row_sums(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.concatenate([polynomial_kernel(x[i : i + _BLOCK], y).sum(axis=1) for i in range(0, len(x), _BLOCK)])


def _sums_by_block(x: np.ndarray, block: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums (b, b) of the kernel over the pairs of different clips in every two blocks, and how many pairs these are."""
    of_block = np.eye(int(block.max()) + 1)[block]
    sums, pairs = 0.0, 0.0
    for i in range(0, len(x), _BLOCK):
        rows = slice(i, i + _BLOCK)
        kept = (groups[rows, None] != groups).astype(np.float64)
        sums = sums + of_block[rows].T @ (polynomial_kernel(x[rows], x) * kept @ of_block)
        pairs = pairs + of_block[rows].T @ (kept @ of_block)
    return np.asarray(sums), np.asarray(pairs)


def _without_each(sums: np.ndarray) -> np.ndarray:
    """The sum of a matrix (b, b) without row and column 0, without row and column 1 …"""
    return sums.sum() - sums.sum(axis=0) - sums.sum(axis=1) + np.diagonal(sums)
