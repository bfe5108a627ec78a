import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.etc.grid import from_grid, side, to_grid

SIDES = st.integers(1, 4)


def literal(video: torch.Tensor) -> torch.Tensor:
    """Eq. 1, place by place."""
    batch, channels, frames, h, w = video.shape
    root = round(math.sqrt(frames))
    grid = torch.empty(batch, channels, root * h, root * w)
    for x in range(root * h):
        for y in range(root * w):
            grid[:, :, x, y] = video[:, :, x // h + y // w * root, x % h, y % w]
    return grid


@given(SIDES, st.integers(1, 3), st.integers(1, 5), st.integers(1, 5))
def test_frames_lie_where_equation_1_puts_them(root: int, batch: int, h: int, w: int) -> None:
    video = torch.randn(batch, 2, root**2, h, w)
    assert torch.equal(to_grid(video), literal(video))


@given(SIDES, st.integers(1, 5), st.integers(1, 5))
def test_both_ways_are_exact(root: int, h: int, w: int) -> None:
    video = torch.randn(2, 3, root**2, h, w)
    assert torch.equal(from_grid(to_grid(video), root**2), video)
    grid = torch.randn(2, 3, root * h, root * w)
    assert torch.equal(to_grid(from_grid(grid, root**2)), grid)


def test_types_are_kept() -> None:
    video = torch.randint(256, (1, 3, 4, 2, 2), dtype=torch.uint8)
    assert from_grid(to_grid(video), 4).dtype == torch.uint8


@given(st.integers(-3, 200))
def test_only_squares_have_a_side(frames: int) -> None:
    squares = {n * n: n for n in range(1, 15)}
    if frames in squares:
        assert side(frames) == squares[frames]
    else:
        with pytest.raises(ValueError, match=f"found {frames}, expected a square number"):
            side(frames)


def test_the_nearest_squares_are_named() -> None:
    with pytest.raises(ValueError, match="found 15, expected a square number, such as 9 or 16"):
        to_grid(torch.zeros(1, 1, 15, 2, 2))


def test_what_is_no_grid_is_refused() -> None:
    with pytest.raises(ValueError, match=r"made of videos \(B, C, T, h, w\), found \(4, 2, 2\)"):
        to_grid(torch.zeros(4, 2, 2))
    with pytest.raises(ValueError, match=r"is an image \(B, C, H, W\), found \(4, 2, 2\)"):
        from_grid(torch.zeros(4, 2, 2), 4)
    with pytest.raises(ValueError, match="a grid of 9 frames: found 8x9, expected multiples of 3"):
        from_grid(torch.zeros(1, 1, 8, 9), 9)
