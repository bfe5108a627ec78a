"""Spatial-Temporal Mixed Embedding: where in its frame a place of the grid is, and in which frame (ETC, Section 4.1.2).

Θ is not printed; `THETA` is that of the sinusoids ETC starts from (Vaswani et al. 2017). Algorithm 1 writes the
temporal half with remainders and adds the plain coordinates, (x mod (X/√T)) X + y; that would be other values in every
place of a frame. Eq. 21 and its text, one value for a whole frame, are followed. The first half of the channels tells
places of a frame apart and the second frames, so no two places of a grid are alike (Appendix C.3).
"""

import torch

from pipeline.etc.grid import side

THETA = 10_000.0


def mixed_embedding(channels: int, frames: int, height: int, width: int) -> torch.Tensor:
    """What is added to the noisy latents of a grid, before any layer (Eq. 4 and 25).

    Args:
        channels: of the latents, at least two. frames: T, a square number. height, width: of one frame, in latents.

    Returns:
        (C, √T h, √T w) float32, values in [-2, 2].

    Raises:
        ValueError: if T is no square, or there is no channel for one of the halves.
    """
    if channels < 2:
        raise ValueError(f"channels: found {channels}, expected at least 2, one for places and one for frames")
    half = channels // 2
    spatial = spatial_embedding(channels, frames, height, width)[:half]
    temporal = temporal_embedding(channels, frames, height, width)[: channels - half]
    return torch.cat([spatial, temporal])


def spatial_embedding(channels: int, frames: int, height: int, width: int) -> torch.Tensor:
    """sin(x / Θ^(c/C)) + cos(y / Θ^(c/C)) of the place (x, y) in its frame, the same in every frame (Eq. 18 and 20).

    Arguments as in `mixed_embedding`. Returns (C, √T h, √T w) float32.
    """
    tiles = side(frames)
    x = torch.arange(height, dtype=torch.float64).repeat(tiles)[:, None]
    y = torch.arange(width, dtype=torch.float64).repeat(tiles)[None, :]
    return (torch.sin(x * _frequencies(channels)) + torch.cos(y * _frequencies(channels))).float()


def temporal_embedding(channels: int, frames: int, height: int, width: int) -> torch.Tensor:
    """sin(p / Θ^(c/C)) + cos(p / Θ^(c/C)) with p = ⌊x / h⌋ X + ⌊y / w⌋, one value for a whole frame (Eq. 19 and 21).

    X is the height of the grid, √T h, as printed. So p does not grow with time: frames follow one another down a column
    (Eq. 1), and p grows by X from row to row. Arguments as in `mixed_embedding`. Returns (C, √T h, √T w) float32.
    """
    tiles = side(frames)
    row = torch.arange(tiles, dtype=torch.float64).repeat_interleave(height)[:, None]
    column = torch.arange(tiles, dtype=torch.float64).repeat_interleave(width)[None, :]
    angle = (row * tiles * height + column) * _frequencies(channels)
    return (torch.sin(angle) + torch.cos(angle)).float()


def _frequencies(channels: int) -> torch.Tensor:
    """Θ^(-c/C), (C, 1, 1)."""
    return THETA ** -(torch.arange(channels, dtype=torch.float64) / channels)[:, None, None]
