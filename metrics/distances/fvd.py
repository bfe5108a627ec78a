"""Fréchet video distance (Unterthiner et al. 2018): I3D features -> Gaussian moments -> Fréchet distance."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torchmetrics import Metric

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


def fvd(gen: np.ndarray, real: np.ndarray, ddof: int = 1) -> float:
    """FVD of feature vectors (n, d) and (m, d): `frechet_distance` of their moments, ten times faster.

    A covariance is Rᵀ R of the centred vectors over (n - ddof)^½, so neither it nor its eigenvectors are needed.

    Raises:
        ValueError: as `moments` does.
    """
    (mean1, root1), (mean2, root2) = (_root(side, ddof) for side in (gen, real))
    cross = np.linalg.svd(root1 @ root2.T, compute_uv=False).sum()
    shift = mean1 - mean2
    return max(float(shift @ shift + (root1**2).sum() + (root2**2).sum() - 2 * cross), 0.0)


def _root(values: np.ndarray, ddof: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (d,), and R (at most d rows, d) with Rᵀ R the covariance."""
    values = _checked(values)
    mean = values.mean(axis=0)
    rows = (values - mean) / np.sqrt(len(values) - ddof)
    return mean, rows if len(rows) <= rows.shape[1] else np.linalg.qr(rows, mode="r")


def factor(covariance: np.ndarray) -> np.ndarray:
    """L (d, rank) with L Lᵀ = Σ; eigenvalues that are rounding errors are left out."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > values[-1] * len(values) * np.finfo(np.float64).eps
    return vectors[:, kept] * np.sqrt(values[kept])


class FrechetVideoDistance(Metric):
    """FVD as a torchmetrics metric: constant memory, states that add up across shards and processes.

    Args:
        network: clips (B, 3, T, H, W) -> features (B, d); None if `update` is given features.
        d: number of features.
        ddof: the covariance is divided by n - ddof.
    """

    full_state_update = False
    gen_sum: torch.Tensor
    gen_outer: torch.Tensor
    gen_n: torch.Tensor
    real_sum: torch.Tensor
    real_outer: torch.Tensor
    real_n: torch.Tensor

    def __init__(self, network: nn.Module | None = None, d: int = 400, ddof: int = 1) -> None:
        super().__init__()
        self.network, self.ddof = network, ddof
        for side in ("gen", "real"):
            self.add_state(f"{side}_sum", torch.zeros(d, dtype=torch.float64), dist_reduce_fx="sum")
            self.add_state(f"{side}_outer", torch.zeros(d, d, dtype=torch.float64), dist_reduce_fx="sum")
            self.add_state(f"{side}_n", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")

    def update(self, clips: torch.Tensor, real: bool) -> None:
        """Add clips as the network wants them, or features (B, d), to the real or the generated side."""
        features = features_of(self.network, clips).double()
        side = "real" if real else "gen"
        setattr(self, f"{side}_sum", getattr(self, f"{side}_sum") + features.sum(dim=0))
        setattr(self, f"{side}_outer", getattr(self, f"{side}_outer") + features.T @ features)
        setattr(self, f"{side}_n", getattr(self, f"{side}_n") + len(features))

    def compute(self) -> torch.Tensor:
        """FVD, float64.

        Raises:
            ValueError: if a side has fewer than two clips.
        """
        sides = [self._moments(self.gen_sum, self.gen_outer, self.gen_n, "generated"),
                 self._moments(self.real_sum, self.real_outer, self.real_n, "real")]  # fmt: skip
        return torch.tensor(distance(*sides), dtype=torch.float64)

    def _moments(self, total: torch.Tensor, outer: torch.Tensor, n: torch.Tensor, side: str) -> Moments:
        count = int(n)
        if count < 2:
            raise ValueError(f"FVD wants at least two {side} clips, found {count}")
        mean = (total / count).cpu().numpy()
        covariance = (outer.cpu().numpy() - count * np.outer(mean, mean)) / (count - self.ddof)
        return Moments(mean, covariance, count)


@torch.inference_mode()
def features_of(network: nn.Module | None, clips: torch.Tensor) -> torch.Tensor:
    """The network's features of clips, or features (B, d) as they are.

    Raises:
        ValueError: if there is no network and `clips` are no features.
    """
    if network is not None:
        return network(clips)
    if clips.ndim != 2:
        raise ValueError(f"without a network, features (B, d) are expected, found {tuple(clips.shape)}")
    return clips
