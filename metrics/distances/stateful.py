"""The metrics as torchmetrics classes: thin states over the pure functions beside them, that add up across processes.

They stand apart because torchmetrics takes seconds to import, and whoever calls the functions need not wait for it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from metrics.distances.clipsim import CLIPSCORE_WEIGHT, clip_score, clipsim, frame_consistency
from metrics.distances.fvd import Moments, distance
from metrics.distances.kvd import kernel_distance
from metrics.networks.float32 import full_float32
from metrics.networks.resize import resize
from metrics.networks.rules import Resize

if TYPE_CHECKING:
    from metrics.networks.clip import DualEncoder


class _SetDistance(Metric):
    """A distance of generated and real clips, by the features of a network.

    Args:
        network: clips (B, 3, T, H, W) -> features (B, d); None if `update` is given features. torchmetrics'
            `FeatureShare` runs it once for several metrics that are given the same tensor.
        reset_real_features: whether `reset` forgets the real side too, as in torchmetrics' FID.
    """

    higher_is_better = False
    is_differentiable = False
    full_state_update = False
    feature_network = "network"

    def __init__(self, network: nn.Module | None, reset_real_features: bool) -> None:
        super().__init__()
        self.network, self.reset_real_features = network, reset_real_features

    def forward(self, clips: torch.Tensor, real: bool) -> torch.Tensor:
        """Not available: a batch is of one side, and has no distance.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"a batch of {len(clips)} clips of one side has no distance: call update, then compute")

    def reset(self) -> None:
        """Forget the clips; the real ones stay if `reset_real_features` is False."""
        real = [name for name in self._defaults if name.startswith("real") and not self.reset_real_features]
        kept = {name: self._defaults.pop(name) for name in real}  # what has no default is not reset
        super().reset()
        self._defaults.update(kept)


class FrechetVideoDistance(_SetDistance):
    """FVD as a torchmetrics metric: constant memory, states that add up across shards and processes.

    Args:
        network: clips (B, 3, T, H, W) -> features (B, d); None if `update` is given features.
        d: number of features.
        ddof: the covariance is divided by n - ddof.
        reset_real_features: False keeps the real side when the metric is reset.
    """

    plot_lower_bound = 0.0
    gen_sum: torch.Tensor
    gen_outer: torch.Tensor
    gen_n: torch.Tensor
    real_sum: torch.Tensor
    real_outer: torch.Tensor
    real_n: torch.Tensor

    def __init__(
        self, network: nn.Module | None = None, d: int = 400, ddof: int = 1, reset_real_features: bool = True
    ) -> None:
        super().__init__(network, reset_real_features)
        self.ddof = ddof
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
        gen = self._moments(self.gen_sum, self.gen_outer, self.gen_n, "generated")
        real = self._moments(self.real_sum, self.real_outer, self.real_n, "real")
        return torch.tensor(distance(gen, real), dtype=torch.float64)

    def _moments(self, total: torch.Tensor, outer: torch.Tensor, n: torch.Tensor, side: str) -> Moments:
        count = int(n)
        if count < 2:
            raise ValueError(f"FVD wants at least two {side} clips, found {count}")
        mean = (total / count).cpu().numpy()
        covariance = (outer.cpu().numpy() - count * np.outer(mean, mean)) / (count - self.ddof)
        return Moments(mean, covariance, count)


class KernelVideoDistance(_SetDistance):
    """KVD as a torchmetrics metric. It keeps the features (3 KB a clip), which the unbiased estimate needs.

    Args:
        network: clips (B, 3, T, H, W) -> features (B, d); None if `update` is given features.
        reset_real_features: False keeps the real side when the metric is reset.
    """

    gen: list[torch.Tensor]
    real: list[torch.Tensor]

    def __init__(self, network: nn.Module | None = None, reset_real_features: bool = True) -> None:
        super().__init__(network, reset_real_features)
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


class FrameEncoder(nn.Module):
    """Clips uint8 (B, T, H, W, 3) -> unit vectors (B, T, d) of their frames; without an encoder it takes features.

    A module of its own, because that is what torchmetrics' `FeatureShare` shares.

    Args:
        encoder: of the frames. rule: how clips are resized to its square.
    """

    def __init__(self, encoder: "DualEncoder | None", rule: Resize) -> None:
        super().__init__()
        self.encoder, self.rule = encoder, rule

    def extra_repr(self) -> str:
        """By which FeatureShare tells whether two metrics have the same network."""
        return f"{self.encoder!r}, {self.rule}"

    @torch.inference_mode()
    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """The unit vectors of clips, or of features (B, T, d)."""
        if self.encoder is None:
            return F.normalize(clips.float(), dim=-1)
        frames = resize(clips.flatten(0, 1), self.encoder.image_size, self.rule) / 255
        with full_float32():
            return self.encoder.frame_features(frames).unflatten(0, clips.shape[:2])


class _ClipMean(Metric):
    """The mean of a per-clip value over all clips seen, by any number of processes.

    torchmetrics' `FeatureShare` encodes the frames once for several of these metrics that have one encoder and are
    given the same tensor, by name: `share.update(clips=clips, captions=captions)`. Captions are encoded by each metric:
    FeatureShare shares one network of each, and keeps what it is given in a dict, which lists of texts cannot enter.

    Args:
        encoder: turns frames and captions into features; None if `update` is given features.
        rule: how clips are resized to the encoder's square.
    """

    higher_is_better = True
    is_differentiable = False
    full_state_update = False
    feature_network = "frames"
    total: torch.Tensor
    n: torch.Tensor

    def __init__(self, encoder: "DualEncoder | None" = None, rule: Resize = Resize.SQUASH_BICUBIC) -> None:
        super().__init__()
        self.encoder, self.frames = encoder, FrameEncoder(encoder, rule)
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("n", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")

    def _text(self, captions: Sequence[str] | torch.Tensor) -> torch.Tensor:
        if isinstance(captions, torch.Tensor):
            return F.normalize(captions.float(), dim=-1)
        if self.encoder is None:
            raise ValueError("captions as text need an encoder; without one give text features (B, d)")
        with full_float32():
            return self.encoder.text_features(list(captions))

    def _add(self, values: torch.Tensor) -> None:
        self.total += values.double().sum().to(self.total.device)
        self.n += len(values)

    def compute(self) -> torch.Tensor:
        """The mean over clips; NaN if there were none."""
        return self.total / self.n


class CLIPSIM(_ClipMean):
    """CLIPSIM as a torchmetrics metric; see `clipsim`."""

    plot_lower_bound, plot_upper_bound = -1.0, 1.0

    def update(self, clips: torch.Tensor, captions: Sequence[str] | torch.Tensor) -> None:
        """Add clips uint8 (B, T, H, W, 3) with their captions, or features (B, T, d) with features (B, d)."""
        self._add(clipsim(self.frames(clips), self._text(captions)))


class CLIPScore(_ClipMean):
    """CLIPScore as a torchmetrics metric; see `clip_score`."""

    plot_lower_bound, plot_upper_bound = 0.0, CLIPSCORE_WEIGHT

    def update(self, clips: torch.Tensor, captions: Sequence[str] | torch.Tensor) -> None:
        """Add clips uint8 (B, T, H, W, 3) with their captions, or features (B, T, d) with features (B, d)."""
        self._add(clip_score(self.frames(clips), self._text(captions)))


class FrameConsistency(_ClipMean):
    """Frame consistency as a torchmetrics metric; see `frame_consistency`."""

    plot_lower_bound, plot_upper_bound = -1.0, 1.0

    def update(self, clips: torch.Tensor) -> None:
        """Add clips uint8 (B, T, H, W, 3), or features (B, T, d)."""
        self._add(frame_consistency(self.frames(clips)))


@torch.inference_mode()
def features_of(network: nn.Module | None, clips: torch.Tensor) -> torch.Tensor:
    """The network's features of clips, computed without TF32, or features (B, d) as they are.

    Raises:
        ValueError: if there is no network and `clips` are no features.
    """
    if network is not None:
        with full_float32():
            return network(clips)
    if clips.ndim != 2:
        raise ValueError(f"without a network, features (B, d) are expected, found {tuple(clips.shape)}")
    return clips
