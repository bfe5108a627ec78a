"""Precision, recall, density and coverage: how much of either side lies in the balls around the other's features.

A vector's ball reaches to its k-th nearest neighbour of its own side. Precision is the share of generated vectors in
some real ball, recall the share of real vectors in some generated ball (Kynkäänniemi et al. 2019, k = 3); density the
number of real balls that a generated vector is in, over k, on average, and coverage the share of real balls that hold a
generated vector (Naeem et al. 2020, k = 5). Balls are closed, as in the first paper's equation 1; the second's code
leaves their surface out, which matters where vectors are equal.

For sides of n real and m generated vectors of one distribution, density is 1 and coverage 1 - (n-1)…(n-k) /
((m+n-1)…(m+n-k)) on average, whatever the distribution (Naeem et al., lemmas 1 and 2): 0.97 for many. Precision and
recall have no such value; they rise with the number of vectors of either side and fall with the width.
"""

from collections.abc import Iterator

import numpy as np

FEW_NEIGHBOURS, NEIGHBOURS = 3, 5  # k of precision and recall, and of density and coverage, as in the papers
MIN_CLIPS = 400  # draws of so many of the toy world's clips spread by 0.05 (density) and less, of 50 by 0.2 and less
_BLOCK = 1024  # rows of the matrix of distances held at once
_TIE = 1e-12  # squared distances that differ by less, relative to the largest norm, are one: they are rounded that far


def precision(gen: np.ndarray, real: np.ndarray, real_radii: np.ndarray) -> float:
    """Share of generated vectors (m, d) that are in the ball of some real vector (n, d), in [0, 1].

    Args:
        real_radii: (n,) squared, from `squared_radii`. Recall is the same with the sides changed.
    """
    hits = (inside.any(axis=1).sum() for inside in _inside(gen, real, real_radii))
    return float(sum(hits) / len(gen))


def density(gen: np.ndarray, real: np.ndarray, real_radii: np.ndarray, k: int) -> float:
    """Mean over generated vectors (m, d) of the number of real balls that they are in, over k: at least 0.

    Args:
        real_radii: (n,) squared, from `squared_radii` with the same k.
    """
    hits = (inside.sum() for inside in _inside(gen, real, real_radii))
    return float(sum(hits) / (k * len(gen)))


def coverage(gen: np.ndarray, real: np.ndarray, real_radii: np.ndarray) -> float:
    """Share of the balls of real vectors (n, d) that hold a generated vector (m, d), in [0, 1].

    Args:
        real_radii: (n,) squared, from `squared_radii`.
    """
    covered = np.zeros(len(real), bool)
    for inside in _inside(gen, real, real_radii):
        covered |= inside.any(axis=0)
    return float(covered.mean())


def squared_radii(side: np.ndarray, k: int, groups: np.ndarray | None = None) -> np.ndarray:
    """(n,) squared distance of every vector (n, d) to its k-th nearest neighbour.

    Args:
        groups: (n,) the clip of every vector, where a clip has several (windows or frames): those of one clip are
        alike,
            and not neighbours. None: every vector is a clip.

    Raises:
        ValueError: if some vector has fewer than k vectors of other clips, or a value is not finite.
    """
    side = _checked(side)
    groups = np.arange(len(side)) if groups is None else np.asarray(groups)
    fewest = len(side) - np.bincount(np.unique(groups, return_inverse=True)[1]).max() if len(side) else 0
    if not 1 <= k <= fewest:
        raise ValueError(f"k is {k}, expected 1 to {fewest}: a vector has no more neighbours of other clips")
    radii = np.empty(len(side))
    for rows, squares, _ in _squares(side, side):
        squares[groups[rows, None] == groups] = np.inf
        radii[rows] = np.partition(squares, k - 1, axis=1)[:, k - 1]
    return radii


def _inside(gen: np.ndarray, real: np.ndarray, radii: np.ndarray) -> Iterator[np.ndarray]:
    """Whether each generated vector is in each real ball, (rows, n) for a block of rows after the other."""
    gen, real = _checked(gen), _checked(real)
    if gen.shape[1] != real.shape[1]:
        raise ValueError(f"features {gen.shape} and {real.shape} are not of one width")
    for _, squares, tie in _squares(gen, real):
        yield squares <= radii + tie


def _squares(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray, float]]:
    """Squared distances of a block of the rows of x (n, d) to all of y (m, d), and what is lost of them by rounding."""
    middle = y.mean(axis=0)  # |x|² + |y|² - 2 x·y loses what is common to both
    x, y = x - middle, y - middle
    own, theirs = (x**2).sum(axis=1), (y**2).sum(axis=1)
    for i in range(0, len(x), _BLOCK):
        rows = slice(i, i + _BLOCK)
        yield rows, own[rows, None] + theirs - 2 * x[rows] @ y.T, _TIE * float(own.max() + theirs.max())


def _checked(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or not len(values):
        raise ValueError(f"expected feature vectors (n, d), found shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("features contain NaN or infinity")
    return values
