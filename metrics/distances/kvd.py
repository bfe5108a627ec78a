"""Kernel video distance: the squared maximum mean discrepancy of features under a polynomial kernel.

Bińkowski et al. 2018 (KID) on I3D features: k(x, y) = (x·y / d + 1)³, estimated without bias, so that its expectation
does not depend on the number of clips and a value near zero may be negative. Values are those of the formula; some
papers print them times 1,000.
"""

from collections.abc import Iterator
from dataclasses import dataclass

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
        ValueError: if a side has fewer than two clips, the widths differ, or a value is not finite.
    """
    gen, real = np.asarray(gen, np.float64), np.asarray(real, np.float64)
    sides = (gen, gen_groups), (real, real_groups)
    groups = [np.arange(len(side)) if own is None else np.asarray(own) for side, own in sides]
    if min(len(np.unique(own)) for own in groups) < 2 or gen.shape[1] != real.shape[1]:
        raise ValueError(f"KVD wants (n, d) and (m, d) of at least two clips each, found {gen.shape} and {real.shape}")
    return kernel_within(gen, groups[0]) + kernel_within(real, groups[1]) - 2 * kernel_across(gen, real)


def kernel_within(side: np.ndarray, groups: np.ndarray) -> float:
    """Mean kernel over a side's pairs of vectors (n, d) of different clips; groups: (n,) as for `kernel_distance`.

    Raises:
        ValueError: if a value is not finite.
    """
    if not np.isfinite(side).all():
        raise ValueError("features contain NaN or infinity")
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


@dataclass(frozen=True)
class Drawn:
    """One side with what was drawn: vectors (n, d), the clip of each (n,), and its unit (n,), 0 … units - 1.

    A unit is a clip, or a cluster of clips (those of one prompt). minus: (n, d) other vectors of the same clips, whose
    kernel is subtracted.
    """

    values: np.ndarray
    clips: np.ndarray
    units: np.ndarray
    minus: np.ndarray | None = None

    @property
    def counts(self) -> np.ndarray:
        """(units,) vectors of each unit."""
        return np.bincount(self.units).astype(np.float64)

    def in_order(self) -> "Drawn":
        """The same with the vectors of a unit one after the other."""
        order = np.argsort(self.units, kind="stable")
        minus = None if self.minus is None else self.minus[order]
        return Drawn(self.values[order], self.clips[order], self.units[order], minus)


def kernel_influences(gen: Drawn, real: Drawn) -> tuple[np.ndarray, np.ndarray]:
    """How far each unit moves the KVD: their number times the derivative by the unit's weight.

    Of a generated side with `minus`, how far it moves KVD(values) - KVD(minus). The variance of the estimate has parts
    of first order (4 ζ1 / n for each side) and of second order (2 ζ2 / (n (n - 1)) for a side's pairs, 4 ζ2 / (n m) for
    those across; Hoeffding 1948, Sutherland 2017). The variance of the influences over their number holds the second
    twice, because an influence is a mean over few partners; so they are shrunk until it holds it once.

    Returns:
        (units of gen,) and (units of real,), each of mean 0.
    """
    gen, real = gen.in_order(), real.in_order()
    left, right, noise = _moved_across(gen, real)
    own, own_noise = _moved_within(gen)
    other, other_noise = (
        (0.0, 0.0) if gen.minus is not None else _moved_within(real)
    )  # what both distances have cancels
    return _shrunk(own - 2 * left, own_noise + 2 * noise), _shrunk(other - 2 * right, other_noise + 2 * noise)


def _shrunk(influences: np.ndarray, excess: float) -> np.ndarray:
    """Influences whose variance over their number is less by an excess, which is half of it at most."""
    observed = influences.var(ddof=1) / len(influences)
    return influences * np.sqrt(max(1 - excess / observed, 0.5)) if observed else influences


def _moved_within(side: Drawn) -> tuple[np.ndarray, float]:
    """Influences (units,) on the mean kernel over a side's pairs of different clips; its variance of second order."""
    counts, pairs = side.counts, np.bincount(side.units, len(side.clips) - np.bincount(side.clips)[side.clips])
    units, every = len(counts), pairs.sum()
    rows, own, squares, weighted = np.zeros(units), np.zeros(units), 0.0, 0.0
    for chosen, sums in _sums_by_unit(side, side, apart=True):
        diagonal = np.arange(chosen.start, chosen.stop)
        rows[chosen], own[chosen] = sums.sum(axis=1), sums[diagonal - chosen.start, diagonal]
        sums[diagonal - chosen.start, diagonal] = 0
        squares, weighted = squares + (sums**2).sum(), weighted + counts[chosen] @ sums @ counts
    mean = rows.sum() / every
    scale = units * (units - 1) / every
    sizes = counts.sum()
    squares += mean**2 * ((counts**2).sum() ** 2 - (counts**4).sum()) - 2 * mean * weighted
    means = scale * (rows - own - mean * counts * (sizes - counts)) / (units - 1)  # over the other units
    if units > 3:  # what is left of the pairs beside the units' own effects
        effects = 2 * (units - 1) ** 2 / (units - 2) * ((means - means.mean()) ** 2).sum()
        left = scale**2 * squares - units * (units - 1) * means.mean() ** 2 - effects
        noise = 2 * max(left, 0.0) / (units * (units - 3)) / (units * (units - 1))
    else:
        noise = 0.0
    return 2 * units * (rows - mean * pairs) / every, noise


def _moved_across(gen: Drawn, real: Drawn) -> tuple[np.ndarray, np.ndarray, float]:
    """Influences of either side's units on the mean kernel between the sides; its variance of second order."""
    counts, others = gen.counts, real.counts
    rows, columns, squares, weighted = np.zeros(len(counts)), np.zeros(len(others)), 0.0, 0.0
    for chosen, sums in _sums_by_unit(gen, real):
        rows[chosen] = sums.sum(axis=1)
        columns += sums.sum(axis=0)
        squares, weighted = squares + (sums**2).sum(), weighted + counts[chosen] @ sums @ others
    n, m = counts.sum(), others.sum()
    mean = rows.sum() / (n * m)
    squares += mean**2 * (counts**2).sum() * (others**2).sum() - 2 * mean * weighted
    left, right = (rows - mean * counts * m) / (n * m), (columns - mean * others * n) / (n * m)
    cells = len(counts) * len(others)
    rest = cells * squares / (n * m) ** 2 - len(counts) * (left**2).sum() - len(others) * (right**2).sum()
    noise = max(rest, 0.0) / ((len(counts) - 1) * (len(others) - 1))
    return len(counts) * left, len(others) * right, noise


def _sums_by_unit(left: Drawn, right: Drawn, apart: bool = False) -> Iterator[tuple[slice, np.ndarray]]:
    """Sums of the kernel over the vectors of two units, (some units, all units) at a time.

    Args:
        left, right: with the vectors of a unit one after the other. apart: leave out pairs of one clip.
    """
    starts, columns = (np.r_[0, np.cumsum(side.counts)[:-1]].astype(int) for side in (left, right))
    within = left is right
    for first in range(0, len(left.values), _BLOCK):
        chosen = slice(*np.searchsorted(starts, [first, first + _BLOCK]))
        if chosen.start == chosen.stop:
            continue
        rows = slice(starts[chosen.start], starts[chosen.stop] if chosen.stop < len(starts) else None)
        kernel = polynomial_kernel(left.values[rows], right.values)
        if left.minus is not None:
            kernel -= polynomial_kernel(left.minus[rows], left.minus if within else right.values)
        if apart:
            kernel[left.clips[rows, None] == left.clips] = 0
        yield chosen, _add(_add(kernel, columns, 1), starts[chosen] - starts[chosen.start], 0)


def _add(kernel: np.ndarray, starts: np.ndarray, axis: int) -> np.ndarray:
    return kernel if len(starts) == kernel.shape[axis] else np.add.reduceat(kernel, starts, axis=axis)
