"""Fréchet video distance (Unterthiner et al. 2018): I3D features -> Gaussian moments -> Fréchet distance."""

from dataclasses import dataclass

import numpy as np

# Centring costs a rank: n clips give a covariance of rank n - 1, so that of 400 features is singular below 401 clips,
# and the bias no longer linear in 1/n.
MIN_CLIPS = 401


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
    """Mean (d,) of feature vectors, and R (at most d rows, d) with Rᵀ R their covariance.

    divisor: n - ddof, by which the covariance was divided.
    """

    mean: np.ndarray
    rows: np.ndarray
    divisor: int


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
    divisor = len(values) - ddof
    rows = (values - mean) / np.sqrt(divisor)
    return Root(mean, rows if len(rows) <= rows.shape[1] else np.linalg.qr(rows, mode="r"), divisor)


def between(gen: Root, real: Root) -> float:
    """FVD of two sides."""
    cross = np.linalg.svd(gen.rows @ real.rows.T, compute_uv=False).sum()
    shift = gen.mean - real.mean
    return max(float(shift @ shift + (gen.rows**2).sum() + (real.rows**2).sum() - 2 * cross), 0.0)


def influences(gen: np.ndarray, real: np.ndarray, gen_root: Root, real_root: Root) -> tuple[np.ndarray, np.ndarray]:
    """How far each vector moves the FVD: its number times the derivative by its weight.

    With A and B the centred vectors over (n - ddof)^½, U S Vᵀ = A Bᵀ a singular value decomposition, and c = x - μ1,
    that of generated vector i is 2 c·(μ1 - μ2) + n |A_i|² - n Σ_k S_k U_ik², less the mean of this; a real one's has V
    and the opposite sign of the shift. It follows from d tr (Σ1 Σ2)^½ = ½ tr (T dΣ1), T the optimal map between the
    Gaussians (Dowson & Landau 1982): A_i T A_iᵀ is Σ_k S_k U_ik².

    Args:
        gen (n, d), real (m, d): feature vectors. gen_root, real_root: their `root`.

    Returns:
        (n,) and (m,), each of mean 0.
    """
    left, values, right = np.linalg.svd(gen_root.rows @ real_root.rows.T, full_matrices=False)
    kept = values > values[0] * max(len(left), right.shape[1]) * np.finfo(np.float64).eps
    scale = np.sqrt(values[kept])
    return (
        _influences(gen, gen_root, real_root.mean, real_root.rows.T @ right[kept].T / scale),
        _influences(real, real_root, gen_root.mean, gen_root.rows.T @ left[:, kept] / scale),
    )


def _influences(values: np.ndarray, own: Root, other_mean: np.ndarray, half_map: np.ndarray) -> np.ndarray:
    """(n,) influences of one side; half_map (d, rank): H with H Hᵀ the optimal map to the other side.

    A H has the rows S_k^½ U_ik, so that U (n, rank) is not needed, nor a basis of more vectors than dimensions.
    """
    centred = values - own.mean
    moved = 2 * centred @ (own.mean - other_mean)
    moved += ((centred**2).sum(axis=1) - ((centred @ half_map) ** 2).sum(axis=1)) * len(values) / own.divisor
    return moved - moved.mean()


def factor(covariance: np.ndarray) -> np.ndarray:
    """L (d, rank) with L Lᵀ = Σ; eigenvalues that are rounding errors are left out."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > values[-1] * len(values) * np.finfo(np.float64).eps
    return vectors[:, kept] * np.sqrt(values[kept])
