"""How well a clip's frames match its caption, and one another, in the space of a dual encoder such as CLIP.

CLIPSIM (Wu et al. 2021, GODIVA) is the mean over frames of the cosine between image and text features, in [-1, 1];
HARIVO prints it as it is (0.29), ETC times 100 (29). CLIPScore (Hessel et al. 2021) is 2.5 max(cos, 0) and another
measure. Frame consistency is the mean cosine of neighbouring frames, 1 for a still picture.
"""

from collections.abc import Sequence

import torch
from torch.nn import functional as F
from torchmetrics import Metric

from metrics.networks.clip import DualEncoder
from metrics.networks.resize import resize
from metrics.networks.rules import Resize

CLIPSCORE_WEIGHT = 2.5


def clipsim(frame_features: torch.Tensor, text_features: torch.Tensor) -> torch.Tensor:
    """CLIPSIM of each clip.

    Args:
        frame_features: (N, T, d) unit vectors. text_features: (N, d) unit vectors.

    Returns:
        (N,) mean cosine over the T frames.

    Raises:
        ValueError: if the sizes do not fit each other.
    """
    return _cosines(frame_features, text_features).mean(dim=1)


def clip_score(frame_features: torch.Tensor, text_features: torch.Tensor) -> torch.Tensor:
    """CLIPScore of each clip: the mean over frames of 2.5 max(cos, 0); arguments and errors as in `clipsim`.

    Returns:
        (N,) in [0, 2.5]. torchmetrics prints 100 max(cos, 0), without the factor.
    """
    return CLIPSCORE_WEIGHT * _cosines(frame_features, text_features).clamp(min=0).mean(dim=1)


def frame_consistency(frame_features: torch.Tensor) -> torch.Tensor:
    """Mean cosine of each clip's neighbouring frames.

    Args:
        frame_features: (N, T, d) unit vectors.

    Returns:
        (N,) in [-1, 1].

    Raises:
        ValueError: if there are fewer than two frames.
    """
    if frame_features.ndim != 3 or frame_features.shape[1] < 2:
        raise ValueError(f"frame consistency wants (N, T >= 2, d), found {tuple(frame_features.shape)}")
    return (frame_features[:, 1:] * frame_features[:, :-1]).sum(dim=2).mean(dim=1)


def _cosines(frame_features: torch.Tensor, text_features: torch.Tensor) -> torch.Tensor:
    if frame_features.ndim != 3 or text_features.shape != frame_features[:, 0].shape:
        raise ValueError(
            f"frame features {tuple(frame_features.shape)} and text features {tuple(text_features.shape)} do not fit: "
            "expected (N, T, d) and (N, d)"
        )
    return torch.einsum("ntd,nd->nt", frame_features, text_features)


class _ClipMean(Metric):
    """The mean of a per-clip value over all clips seen, by any number of processes.

    Args:
        encoder: turns frames and captions into features; None if `update` is given features.
        rule: how clips are resized to the encoder's square.
    """

    full_state_update = False
    total: torch.Tensor
    n: torch.Tensor

    def __init__(self, encoder: DualEncoder | None = None, rule: Resize = Resize.SQUASH_BICUBIC) -> None:
        super().__init__()
        self.encoder, self.rule = encoder, rule
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("n", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")

    def _frames(self, clips: torch.Tensor) -> torch.Tensor:
        if self.encoder is None:
            return F.normalize(clips.float(), dim=-1)
        frames = resize(clips.flatten(0, 1), self.encoder.image_size, self.rule) / 255
        return self.encoder.frame_features(frames).unflatten(0, clips.shape[:2])

    def _text(self, captions: Sequence[str] | torch.Tensor) -> torch.Tensor:
        if isinstance(captions, torch.Tensor):
            return F.normalize(captions.float(), dim=-1)
        if self.encoder is None:
            raise ValueError("captions as text need an encoder; without one give text features (B, d)")
        return self.encoder.text_features(list(captions))

    def _add(self, values: torch.Tensor) -> None:
        self.total += values.double().sum().to(self.total.device)
        self.n += len(values)

    def compute(self) -> torch.Tensor:
        """The mean over clips; NaN if there were none."""
        return self.total / self.n


class CLIPSIM(_ClipMean):
    """CLIPSIM as a torchmetrics metric; see `clipsim`."""

    def update(self, clips: torch.Tensor, captions: Sequence[str] | torch.Tensor) -> None:
        """Add clips uint8 (B, T, H, W, 3) with their captions, or features (B, T, d) with features (B, d)."""
        self._add(clipsim(self._frames(clips), self._text(captions)))


class CLIPScore(_ClipMean):
    """CLIPScore as a torchmetrics metric; see `clip_score`."""

    def update(self, clips: torch.Tensor, captions: Sequence[str] | torch.Tensor) -> None:
        """Add clips uint8 (B, T, H, W, 3) with their captions, or features (B, T, d) with features (B, d)."""
        self._add(clip_score(self._frames(clips), self._text(captions)))


class FrameConsistency(_ClipMean):
    """Frame consistency as a torchmetrics metric; see `frame_consistency`."""

    def update(self, clips: torch.Tensor) -> None:
        """Add clips uint8 (B, T, H, W, 3), or features (B, T, d)."""
        self._add(frame_consistency(self._frames(clips)))
