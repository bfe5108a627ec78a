"""Noise of videos: independent in every frame, or PYoCo's, of which the frames share a part."""

from typing import Literal

import torch

NoiseKind = Literal["iid", "mixed"]


def correlate(independent: torch.Tensor, shared: torch.Tensor, weight: float) -> torch.Tensor:
    """PYoCo's mixed noise: sqrt(a² / (1 + a²)) shared + sqrt(1 / (1 + a²)) own, of unit variance in every frame.

    (Ge et al. 2023, "Preserve Your Own Correlation", which HARIVO's Section 3.2 argues against.) Frames have the
    correlation a² / (1 + a²); a = 0 is independent noise.

    Args:
        independent: (..., F, ...) noise of every frame; shared: broadcasts against it, size 1 along the frames.
        weight: a.
    """
    return (weight * shared + independent) / (1 + weight**2) ** 0.5


def video_noise(
    shape: tuple[int, ...], seed: int, kind: NoiseKind, weight: float = 1.0, frame_axis: int = 1
) -> torch.Tensor:
    """Noise of one video, (C, F, h, w) or with the frames on another axis, from its seed alone; frames of `mixed` noise
    share a part."""
    generator = torch.Generator().manual_seed(seed)
    independent = torch.randn(shape, generator=generator)
    if kind == "iid":
        return independent
    one_frame = [1 if axis == frame_axis else size for axis, size in enumerate(shape)]
    return correlate(independent, torch.randn(one_frame, generator=generator), weight)
