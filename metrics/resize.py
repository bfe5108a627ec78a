"""Resize rules: frames of any size -> the square that a network wants. A part of every protocol."""

import math
from collections.abc import Callable

import torch
from torch.nn import functional as F

from metrics.protocol import Resize


def resize(frames: torch.Tensor, size: int, rule: Resize) -> torch.Tensor:
    """Frames (N, 3, H, W), float in [0, 255] -> (N, 3, size, size), float in [0, 255].

    Frames that have the size already are returned as they are.
    """
    if tuple(frames.shape[-2:]) == (size, size):
        return frames
    return _RULES[rule](frames, size)


def _squash_bilinear(frames: torch.Tensor, size: int) -> torch.Tensor:
    return F.interpolate(frames, (size, size), mode="bilinear", antialias=False)


def _squash_bilinear_tf1(frames: torch.Tensor, size: int) -> torch.Tensor:
    """tf.image.resize_bilinear(align_corners=False): output i reads input i * in / out, without half-pixel centres."""
    rows, columns = (_tf1_taps(n, size) for n in frames.shape[-2:])
    low, high, weight = columns
    across = torch.lerp(frames[..., low], frames[..., high], weight)
    low, high, weight = rows
    return torch.lerp(across[..., low, :], across[..., high, :], weight[:, None])


def _tf1_taps(length: int, size: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """For each output: the two inputs it lies between, and the weight of the second."""
    position = torch.arange(size, dtype=torch.float32) * (length / size)
    low = position.floor().long().clamp(max=length - 1)
    return low, (low + 1).clamp(max=length - 1), position - low


def _centre_bilinear(frames: torch.Tensor, size: int) -> torch.Tensor:
    height, width = frames.shape[-2:]
    scale = size / min(height, width)
    target = (size, math.ceil(width * scale)) if height < width else (math.ceil(height * scale), size)
    return _centre(F.interpolate(frames, target, mode="bilinear", antialias=False), size)


def _squash_bicubic(frames: torch.Tensor, size: int) -> torch.Tensor:
    return _bicubic(frames, (size, size))


def _centre_bicubic(frames: torch.Tensor, size: int) -> torch.Tensor:
    height, width = frames.shape[-2:]
    target = (size, size * width // height) if height < width else (size * height // width, size)
    return _centre(_bicubic(frames, target), size)


def _bicubic(frames: torch.Tensor, target: tuple[int, int]) -> torch.Tensor:
    """Bicubic interpolation overshoots, which images cannot: values are cut to their range."""
    return F.interpolate(frames, target, mode="bicubic", antialias=True).clamp(0, 255)


def _centre(frames: torch.Tensor, size: int) -> torch.Tensor:
    top, left = ((n - size) // 2 for n in frames.shape[-2:])
    return frames[..., top : top + size, left : left + size]


_RULES: dict[Resize, Callable[[torch.Tensor, int], torch.Tensor]] = {
    Resize.SQUASH_BILINEAR: _squash_bilinear,
    Resize.SQUASH_BILINEAR_TF1: _squash_bilinear_tf1,
    Resize.CENTRE_BILINEAR: _centre_bilinear,
    Resize.SQUASH_BICUBIC: _squash_bicubic,
    Resize.CENTRE_BICUBIC: _centre_bicubic,
}
