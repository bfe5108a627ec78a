"""Temporal-to-spatial arrangement: the frames of a video as tiles of one image (ETC, Section 4.1.1, Eq. 1)."""

import math

import torch


def side(frames: int) -> int:
    """√T, the tiles along each side of the grid.

    Raises:
        ValueError: if the number of frames is no square.
    """
    root = math.isqrt(max(frames, 0))
    if frames < 1 or root * root != frames:
        below, above = max(root, 1) ** 2, (root + 1) ** 2
        raise ValueError(f"frames: found {frames}, expected a square number, such as {below} or {above}")
    return root


def to_grid(video: torch.Tensor) -> torch.Tensor:
    """Lay the frames of videos out as one image each.

    Eq. 1 puts frame ⌊x / h⌋ + ⌊y / w⌋ √T at (x, y), x along the height: the first √T frames fill the first column from
    top to bottom, the next ones the second.

    Args:
        video: (B, C, T, h, w), T a square number; pixels or latents of any type.

    Returns:
        (B, C, √T h, √T w), the same values.

    Raises:
        ValueError: if there is another number of axes, or T is no square.
    """
    if video.ndim != 5:
        raise ValueError(f"a grid is made of videos (B, C, T, h, w), found {tuple(video.shape)}")
    columns = video.unflatten(2, (side(video.shape[2]), -1))  # B C column row h w
    return columns.permute(0, 1, 3, 4, 2, 5).flatten(4, 5).flatten(2, 3)


def from_grid(grid: torch.Tensor, frames: int) -> torch.Tensor:
    """Cut grids (B, C, √T h, √T w) into videos (B, C, T, h, w); the inverse of `to_grid`.

    Raises:
        ValueError: if there is another number of axes, `frames` is no square, or the tiles do not fill the grid.
    """
    if grid.ndim != 4:
        raise ValueError(f"a grid is an image (B, C, H, W), found {tuple(grid.shape)}")
    tiles = side(frames)
    if grid.shape[2] % tiles or grid.shape[3] % tiles:
        found = "x".join(map(str, grid.shape[2:]))
        raise ValueError(f"a grid of {frames} frames: found {found}, expected multiples of {tiles}")
    split = grid.unflatten(3, (tiles, -1)).unflatten(2, (tiles, -1))  # B C row h column w
    return split.permute(0, 1, 4, 2, 3, 5).flatten(2, 3)
