"""Resize rules: frames of any size -> the square that a network wants. A part of every protocol."""

import math
from collections.abc import Callable

import torch
from torch.nn import functional as F

from metrics.networks.rules import Resize


def resize(frames: torch.Tensor, size: int, rule: Resize) -> torch.Tensor:
    """Frames uint8 (N, H, W, 3) -> (N, 3, size, size), float32 in [0, 255]; of that size already, only converted.

    Bilinear rules compute in float32; bicubic ones in 8 bits, as PIL does and with it CLIP's own preprocessing.

    Raises:
        ValueError: if the frames are of another type or shape.
    """
    if frames.dtype != torch.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        found = f"{str(frames.dtype).removeprefix('torch.')} {tuple(frames.shape)}"
        raise ValueError(f"frames are {found}, expected uint8 (N, H, W, 3)")
    if tuple(frames.shape[1:3]) == (size, size):
        return frames.movedim(-1, 1).float()
    return _RULES[rule](frames, size)


def _squash_bilinear(frames: torch.Tensor, size: int) -> torch.Tensor:
    return _each(frames, size, lambda frame: F.interpolate(frame, (size, size), mode="bilinear"))


def _centre_bilinear(frames: torch.Tensor, size: int) -> torch.Tensor:
    """The short side becomes `size`, the long one rounded up, and the middle is kept (as VideoGPT does)."""
    height, width = frames.shape[1:3]
    target = [math.ceil(n * size / min(height, width)) for n in (height, width)]
    return _each(frames, size, lambda frame: _middle(F.interpolate(frame, target, mode="bilinear"), size))


def _squash_bilinear_tf1(frames: torch.Tensor, size: int) -> torch.Tensor:
    """As tf.image.resize_bilinear of TensorFlow 1: output i reads input i · in / out, without half-pixel centres."""
    (top, bottom, y), (left, right, x) = (_tf1_taps(n, size) for n in frames.shape[1:3])

    def one(frame: torch.Tensor) -> torch.Tensor:
        across = torch.lerp(frame[..., left], frame[..., right], x)
        return torch.lerp(across[..., top, :], across[..., bottom, :], y[:, None])

    return _each(frames, size, one)


def _tf1_taps(length: int, size: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """For each output: the two pixels it lies between, and the weight of the second."""
    places = torch.arange(size) * (length / size)
    low = places.floor().long().clamp(max=length - 1)
    return low, (low + 1).clamp(max=length - 1), places - low


def _each(frames: torch.Tensor, size: int, rule: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """A rule on one float frame (1, 3, H, W) at a time: a large clip never lies in memory as float."""
    resized = frames.new_empty(len(frames), size, size, 3, dtype=torch.float32).movedim(-1, 1)
    for one, frame in zip(resized, frames, strict=True):
        one.copy_(rule(frame[None].movedim(-1, 1).float())[0])
    return resized


def _squash_bicubic(frames: torch.Tensor, size: int) -> torch.Tensor:
    return _bicubic(frames, [size, size])


def _centre_bicubic(frames: torch.Tensor, size: int) -> torch.Tensor:
    """CLIP's own: the short side becomes `size`, the long one rounded down, and the middle is kept."""
    height, width = frames.shape[1:3]
    return _middle(_bicubic(frames, [size * n // min(height, width) for n in (height, width)]), size)


def _bicubic(frames: torch.Tensor, target: list[int]) -> torch.Tensor:
    return F.interpolate(frames.movedim(-1, 1), target, mode="bicubic", antialias=True).float()


def _middle(frames: torch.Tensor, size: int) -> torch.Tensor:
    top, left = ((n - size) // 2 for n in frames.shape[-2:])
    return frames[..., top : top + size, left : left + size]


_RULES: dict[Resize, Callable[[torch.Tensor, int], torch.Tensor]] = {
    Resize.SQUASH_BILINEAR: _squash_bilinear,
    Resize.SQUASH_BILINEAR_TF1: _squash_bilinear_tf1,
    Resize.CENTRE_BILINEAR: _centre_bilinear,
    Resize.SQUASH_BICUBIC: _squash_bicubic,
    Resize.CENTRE_BICUBIC: _centre_bicubic,
}
