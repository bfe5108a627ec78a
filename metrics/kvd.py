"""Kernel video distance: the squared maximum mean discrepancy of features under a polynomial kernel.

Bińkowski et al. 2018 (KID) on I3D features: k(x, y) = (x·y / d + 1)³, estimated without bias, so that its expectation
does not depend on the number of clips and a value near zero may be negative. Values are those of the formula; some
papers print them times 1,000.
"""

import numpy as np
import torch
from torch import nn
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from metrics.fvd import features_of

_BLOCK = 1024  # rows of the kernel matrix held at once


def polynomial_kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(x·y / d + 1)³ of feature vectors (n, d) and (m, d), as (n, m)."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def kernel_distance(gen: np.ndarray, real: np.ndarray) -> float:
    """Unbiased squared MMD of feature vectors (n, d) and (m, d), float64.

    Raises:
        ValueError: if a side has fewer than two vectors, or the widths differ.
    """
    ones = [np.ones((1, len(side))) for side in (gen, real)]
    return float(weighted_kernel_distance(gen, real, *ones)[0])


def weighted_kernel_distance(
    gen: np.ndarray, real: np.ndarray, gen_counts: np.ndarray, real_counts: np.ndarray
) -> np.ndarray:
    """The distance for B resamples at once, each given by how often it holds every vector.

    A vector is never paired with a copy of itself, so a resample is no closer to itself than the data are.

    Args:
        gen (n, d), real (m, d): feature vectors. gen_counts (B, n), real_counts (B, m): how often each occurs.

    Returns:
        (B,) distances.

    Raises:
        ValueError: as in `kernel_distance`.
    """
    gen, real = np.asarray(gen, np.float64), np.asarray(real, np.float64)
    if min(len(gen), len(real)) < 2 or gen.shape[1] != real.shape[1]:
        raise ValueError(f"KVD wants (n >= 2, d) and (m >= 2, d), found {gen.shape} and {real.shape}")
    gen_counts, real_counts = gen_counts.astype(np.float64), real_counts.astype(np.float64)
    within = sum(_within(side, counts) for side, counts in ((gen, gen_counts), (real, real_counts)))
    pairs = gen_counts.sum(axis=1) * real_counts.sum(axis=1)
    return within - 2 * _quadratic(gen, real, gen_counts, real_counts) / pairs


def _within(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean kernel over pairs of different vectors of one side."""
    own = polynomial_diagonal(values)
    pairs = counts.sum(axis=1) ** 2 - (counts**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample of one vector alone has no pairs: NaN
        return (_quadratic(values, values, counts, counts) - counts**2 @ own) / np.where(pairs > 0, pairs, np.nan)


def polynomial_diagonal(x: np.ndarray) -> np.ndarray:
    """k(x, x) of every vector (n, d), as (n,)."""
    return ((x * x).sum(axis=1) / x.shape[1] + 1) ** 3


def _quadratic(x: np.ndarray, y: np.ndarray, x_counts: np.ndarray, y_counts: np.ndarray) -> np.ndarray:
    """Σ_ij u_i k(x_i, y_j) v_j for every pair of rows u, v, with a block of the kernel matrix in memory at a time."""
    total = np.zeros(len(x_counts))
    for i in range(0, len(x), _BLOCK):
        rows = slice(i, i + _BLOCK)
        total += np.einsum("bi,ib->b", x_counts[:, rows], polynomial_kernel(x[rows], y) @ y_counts.T)
    return total


class KernelVideoDistance(Metric):
    """KVD as a torchmetrics metric. It keeps the features (3 KB a clip), which the unbiased estimate needs.

    Args:
        network: clips (B, 3, T, H, W) -> features (B, d); None if `update` is given features.
    """

    full_state_update = False
    gen: list[torch.Tensor]
    real: list[torch.Tensor]

    def __init__(self, network: nn.Module | None = None) -> None:
        super().__init__()
        self.network = network
        for side in ("gen", "real"):
            self.add_state(side, [], dist_reduce_fx="cat")

    def update(self, clips: torch.Tensor, real: bool) -> None:
        """Add clips as the network wants them, or features (B, d), to the real or the generated side."""
        (self.real if real else self.gen).append(features_of(self.network, clips).double())

    def compute(self) -> torch.Tensor:
        """KVD, float64.

        Raises:
            ValueError: if a side has fewer than two clips.
        """
        sides = []
        for name in ("gen", "real"):
            kept = getattr(self, name)
            sides.append(dim_zero_cat(kept).cpu().numpy() if len(kept) else np.empty((0, 1)))
        return torch.tensor(kernel_distance(*sides), dtype=torch.float64)
