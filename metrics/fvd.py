"""Fréchet video distance (Unterthiner et al. 2018): I3D features -> Gaussian moments -> Fréchet distance."""

from dataclasses import dataclass

import numpy as np

MIN_CLIPS = 400  # below it the covariance of 400 features is singular and the bias is no longer linear in 1/n


@dataclass(frozen=True)
class Moments:
    """Mean (d,) and unbiased covariance (d, d) of n feature vectors, float64."""

    mean: np.ndarray
    covariance: np.ndarray
    n: int


def moments(values: np.ndarray) -> Moments:
    """Mean and covariance (ddof 1) of feature vectors (n, d) in float64.

    Raises:
        ValueError: if there are fewer than two, or a value is not finite.
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or len(values) < 2:
        raise ValueError(f"moments want at least two feature vectors (n, d), found shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("features contain NaN or infinity")
    return Moments(values.mean(axis=0), np.cov(values, rowvar=False, ddof=1).reshape(values.shape[1], -1), len(values))


def frechet_distance(a: Moments, b: Moments) -> float:
    """|μa - μb|² + tr(Σa + Σb - 2 (Σa Σb)^½), never negative, for covariances of any rank.

    The eigenvalues of Σa Σb are those of the symmetric Σa^½ Σb Σa^½, so its trace needs `eigh` alone: no complex
    square root, and eigenvalues that rounding leaves below zero are zero.
    """
    root = _root(a.covariance)
    product = root @ b.covariance @ root
    eigenvalues = np.linalg.eigvalsh((product + product.T) / 2)
    cross = np.sqrt(np.clip(eigenvalues, 0, None)).sum()
    difference = a.mean - b.mean
    distance = difference @ difference + np.trace(a.covariance) + np.trace(b.covariance) - 2 * cross
    return max(float(distance), 0.0)


def _root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
