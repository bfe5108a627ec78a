"""Fréchet video distance (Unterthiner et al. 2018): I3D features -> Gaussian moments -> Fréchet distance."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

MIN_CLIPS = 400  # below it the covariance of 400 features is singular and the bias is no longer linear in 1/n


@dataclass(frozen=True)
class Moments:
    """Mean (d,) and covariance (d, d) of n feature vectors, float64."""

    mean: np.ndarray
    covariance: np.ndarray
    n: int


def moments(values: np.ndarray, ddof: int = 1) -> Moments:
    """Mean and covariance of feature vectors (n, d) in float64; the covariance is divided by n - ddof.

    Raises:
        ValueError: if there are fewer than two, or a value is not finite.
    """
    values = _checked(values)
    centred = values - values.mean(axis=0)
    return Moments(values.mean(axis=0), centred.T @ centred / (len(values) - ddof), len(values))


def _checked(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or len(values) < 2:
        raise ValueError(f"moments want at least two feature vectors (n, d), found shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("features contain NaN or infinity")
    return values


def frechet_distance(mu1: np.ndarray, cov1: np.ndarray, mu2: np.ndarray, cov2: np.ndarray) -> float:
    """|μ1 - μ2|² + tr(Σ1 + Σ2 - 2 (Σ1 Σ2)^½), never negative, for covariances of any rank.

    With Σ = L Lᵀ, the trace of (Σ1 Σ2)^½ is the sum of the singular values of L1ᵀ L2: no complex square root, and no
    root of a rounding error where a covariance is singular.

    Args:
        mu1, mu2: means (d,). cov1, cov2: symmetric covariances (d, d), positive semidefinite up to rounding.

    Raises:
        ValueError: if the sizes do not fit each other, or a number is not finite.
    """
    mu1, cov1, mu2, cov2 = (np.asarray(x, np.float64) for x in (mu1, cov1, mu2, cov2))
    d = len(mu1)
    if mu1.shape != (d,) or mu2.shape != (d,) or cov1.shape != (d, d) or cov2.shape != (d, d):
        raise ValueError(
            f"means {mu1.shape}, {mu2.shape} and covariances {cov1.shape}, {cov2.shape} do not fit: "
            "expected (d,), (d,), (d, d), (d, d)"
        )
    if not all(np.isfinite(x).all() for x in (mu1, cov1, mu2, cov2)):
        raise ValueError("means or covariances contain NaN or infinity")
    cross = np.linalg.svd(factor(cov1).T @ factor(cov2), compute_uv=False).sum()
    difference = mu1 - mu2
    return max(float(difference @ difference + np.trace(cov1) + np.trace(cov2) - 2 * cross), 0.0)


def distance(a: Moments, b: Moments) -> float:
    """Fréchet distance of two sets of moments."""
    return frechet_distance(a.mean, a.covariance, b.mean, b.covariance)


@dataclass(frozen=True)
class Root:
    """Mean (d,) of feature vectors, and R (at most d rows, d) with Rᵀ R their covariance."""

    mean: np.ndarray
    rows: np.ndarray


def fvd(gen: np.ndarray, real: np.ndarray, ddof: int = 1) -> float:
    """FVD of feature vectors (n, d) and (m, d): `frechet_distance` of their moments, ten times faster.

    A covariance is Rᵀ R of the centred vectors over (n - ddof)^½, so neither it nor its eigenvectors are needed.

    Raises:
        ValueError: as `moments` does.
    """
    return between(root(gen, ddof), root(real, ddof))


def root(values: np.ndarray, ddof: int = 1) -> Root:
    """What `fvd` needs of a side (n, d), for a side that is compared more than once.

    Raises:
        ValueError: as `moments` does.
    """
    values = _checked(values)
    mean = values.mean(axis=0)
    rows = (values - mean) / np.sqrt(len(values) - ddof)
    return Root(mean, rows if len(rows) <= rows.shape[1] else np.linalg.qr(rows, mode="r"))


def between(gen: Root, real: Root) -> float:
    """FVD of two sides."""
    cross = np.linalg.svd(gen.rows @ real.rows.T, compute_uv=False).sum()
    shift = gen.mean - real.mean
    return max(float(shift @ shift + (gen.rows**2).sum() + (real.rows**2).sum() - 2 * cross), 0.0)


def roots_without(values: np.ndarray, block: np.ndarray, ddof: int = 1) -> Iterator[Root]:
    """The root of feature vectors (n, d) without block 0, without block 1 …; block (n,) says which each is of.

    Of many vectors the covariance of the rest comes from that of all, and its root by Cholesky: eight times faster than
    a QR of the rest.
    """
    values = _checked(values)
    n, d = values.shape
    mean = values.mean(axis=0)
    centred = values - mean
    scatter = centred.T @ centred if n >= 2 * d else None
    for left in range(int(block.max()) + 1):
        rest = None if scatter is None else _downdated(mean, scatter, centred[block == left], n, ddof)
        yield rest or root(values[block != left], ddof)


def _downdated(mean: np.ndarray, scatter: np.ndarray, part: np.ndarray, n: int, ddof: int) -> Root | None:
    """The root without a part of the centred vectors; None if the covariance is singular to rounding."""
    kept = n - len(part)
    shift = -part.sum(axis=0) / kept
    covariance = (scatter - part.T @ part - kept * np.outer(shift, shift)) / (kept - ddof)
    try:
        return Root(mean + shift, np.linalg.cholesky(covariance).T)
    except np.linalg.LinAlgError:
        return None


def factor(covariance: np.ndarray) -> np.ndarray:
    """L (d, rank) with L Lᵀ = Σ; eigenvalues that are rounding errors are left out."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > values[-1] * len(values) * np.finfo(np.float64).eps
    return vectors[:, kept] * np.sqrt(values[kept])
