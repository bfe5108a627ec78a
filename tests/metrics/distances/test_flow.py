"""Flow, dynamic degree and warping error on constructed motion: translations, a flicker, a still, an occluder."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from metrics.distances.flow import dis_flow, dis_flows, dynamic_degree, visible, warp, warping_error
from tests.metrics.distances.moving import eight_bits, flickering, texture, translation


def inner(flow: np.ndarray) -> np.ndarray:
    """What does not come from beyond the edge."""
    edge = flow.shape[1] // 4
    return flow[:, edge:-edge, edge:-edge]


@pytest.mark.parametrize("side", [32, 256, 288])
@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (1, 0), (-2, 1), (0.5, -0.25), (1.7, 2.3)])
def test_a_translation_is_found(side: int, dx: float, dy: float) -> None:
    there, back = dis_flows(translation(side, dx, dy, frames=3))
    assert inner(there).mean(axis=(0, 1, 2)) == pytest.approx([dx, dy], abs=0.03)
    assert inner(back).mean(axis=(0, 1, 2)) == pytest.approx([-dx, -dy], abs=0.03)
    assert np.abs(inner(there) - [dx, dy]).mean() < 0.05


@pytest.mark.parametrize("side", [32, 256])
def test_motion_that_is_followed_costs_nothing(side: int) -> None:
    """Warping takes away a translation but for the rounding of pixels, and all of it where nothing moves."""
    still = translation(side, 0, 0)
    assert warping_error(still, *dis_flows(still)) == pytest.approx(0, abs=1e-12)
    for dx, dy in ((1, 2), (0.5, 0), (2.3, 1.1)):
        clip = translation(side, dx, dy)
        unwarped = (np.diff(clip.astype(float), axis=0) ** 2).mean() / 255**2
        assert warping_error(clip, *dis_flows(clip)) < 0.05 * unwarped


@pytest.mark.parametrize("side", [32, 256])
@pytest.mark.parametrize("by", [5, 20])
def test_a_flicker_is_the_error(side: int, by: int) -> None:
    """Brightness that comes and goes is no motion: its square is left."""
    clip = flickering(side, by)
    assert warping_error(clip, *dis_flows(clip)) == pytest.approx((by / 255) ** 2, rel=0.05)


def test_what_an_occluder_hides_is_left_out() -> None:
    """A square that jumps over a still ground: with the true flows nothing is wrong, unless hidden pixels count."""
    side, at, size = 48, 12, 12
    ground, square = eight_bits(texture(side, 2, 1)), eight_bits(texture(size, 1, 2))
    clip, there, back = np.stack([ground] * 2), np.zeros((1, side, side, 2)), np.zeros((1, side, side, 2))
    first, second = (slice(at, at + size),) * 2, (slice(at, at + size), slice(at + 8, at + 8 + size))
    clip[0][first], clip[1][second] = square, square
    there[0][first], back[0][second] = (8, 0), (-8, 0)
    assert warping_error(clip, there, back) == pytest.approx(0, abs=1e-12)
    assert warping_error(clip, np.zeros_like(there), np.zeros_like(back)) > 1e-3
    seen = visible(*(torch.from_numpy(x).movedim(-1, 1).float() for x in (there, back)))[0].numpy()
    hidden = seen[at : at + size, at + size : at + 8 + size]  # ground that the square is about to cover
    assert not hidden.any()
    assert seen[at + 2 : at + size - 2, at + 2 : at + size - 2].all()
    assert seen[at + size + 2 :].all()


def test_what_leaves_the_frame_is_left_out() -> None:
    flow = torch.zeros(1, 2, 20, 20)
    flow[:, 0] = 3
    seen = visible(flow, -flow)[0]
    assert seen[:, :17].all() and not seen[:, 17:].any()
    all_gone = np.full((1, 20, 20, 2), 30.0)
    assert np.isnan(warping_error(np.zeros((2, 20, 20, 3), np.uint8), all_gone, -all_gone))


@given(st.integers(0, 2**32 - 1), st.floats(0, 6))
def test_warping_is_a_bilinear_lookup(seed: int, size: float) -> None:
    """Against scipy's, pixel by pixel."""
    rng = np.random.default_rng(seed)
    image, flow = rng.random((9, 13)), rng.uniform(-size, size, (2, 9, 13))
    ours = warp(torch.from_numpy(image)[None, None], torch.from_numpy(flow)[None])[0, 0].numpy()
    y, x = np.mgrid[:9, :13]
    theirs = map_coordinates(image, [y + flow[1], x + flow[0]], order=1, mode="nearest")
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def speeds(*pixels: float, side: int = 256, share: float = 1.0) -> np.ndarray:
    """Flows of one speed for each pair of frames, of a share of the rows."""
    flows = np.zeros((len(pixels), side, side, 2))
    flows[:, : round(side * share), :, 0] = np.array(pixels)[:, None, None]
    return flows


@pytest.mark.parametrize(
    ("flows", "moves"),
    [
        (speeds(*[6.1] * 4, *[0] * 11), True),  # 4 of 16 frames' pairs
        (speeds(*[6.1] * 3, *[5.9] * 12), False),
        (speeds(*[-6.1] * 15), True),
        (speeds(*[0.8] * 15, side=32), True),  # 6 pixels of 256 are 0.75 of 32
        (speeds(*[0.7] * 15, side=32), False),
        (speeds(*[7.0] * 15, share=0.06), True),  # of the fastest 5 %
        (speeds(*[7.0] * 15, share=0.04), False),
        (speeds(6.1), True),
        (speeds(5.9), False),
    ],
)
def test_a_clip_moves_from_a_threshold_on(flows: np.ndarray, moves: bool) -> None:
    assert dynamic_degree(flows) == moves


def test_moving_and_still_textures_are_told_apart() -> None:
    assert dynamic_degree(dis_flows(translation(32, 2, 0))[0]) == 1
    assert dynamic_degree(dis_flows(translation(32, 0.3, 0))[0]) == 0
    assert dynamic_degree(dis_flows(flickering(64, 20))[0]) == 0


def test_small_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="24x12 pixels, optical flow wants at least 16x16"):
        dis_flow(*np.zeros((2, 12, 24, 3), np.uint8))
