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

from metrics.distances.fvd import features_of

_BLOCK = 1024  # rows of the kernel matrix held at once


def polynomial_kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(x·y / d + 1)³ of feature vectors (n, d) and (m, d), as (n, m)."""
    return (x @ y.T / x.shape[1] + 1) ** 3


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
    groups = [np.arange(len(side)) if own is None else np.asarray(own)
              for side, own in ((gen, gen_groups), (real, real_groups))]  # fmt: skip
    if min(len(np.unique(own)) for own in groups) < 2 or gen.shape[1] != real.shape[1]:
        raise ValueError(f"KVD wants (n, d) and (m, d) of at least two clips each, found {gen.shape} and {real.shape}")
    across = _mean(gen, real, groups[0], None)
    return _mean(gen, gen, groups[0], groups[0]) + _mean(real, real, groups[1], groups[1]) - 2 * across


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
