"""Cut wrongly: on the world's own clips, and on grids that are shifted on purpose."""

import numpy as np
import pytest
import torch

from pipeline.etc.grid import from_grid, to_grid
from pipeline.world.cuts import cut_wrongly, wrong_frames
from pipeline.world.rates import at_rates
from pipeline.world.render import render
from pipeline.world.scene import HEIGHT, WIDTH, Scenes, draw, half_extent

N = 200


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    return draw(N, 123)[1]


@pytest.fixture(scope="module")
def clips(scenes: Scenes) -> np.ndarray:
    return render(scenes)


def shifted(clips: np.ndarray, down: int, right: int) -> np.ndarray:
    """The clips, cut out of their grid that much too far up and left."""
    grid = to_grid(torch.from_numpy(clips).movedim(-1, 1))
    return from_grid(torch.roll(grid, (down, right), (2, 3)), clips.shape[1]).movedim(1, -1).numpy()


@pytest.mark.parametrize("rate", [1, 2, 4, 8, 15, 30, 60])
def test_clips_of_the_world_are_cut_rightly_at_every_rate(scenes: Scenes, rate: int) -> None:
    assert not cut_wrongly(render(at_rates(scenes, rate))).any()


@pytest.mark.parametrize(("down", "right"), [(16, 0), (0, 16), (8, 8), (16, 16), (-6, 0), (0, 11), (4, 4), (0, 0)])
def test_shifted_grids_are_cut_wrongly_where_objects_lie_across_the_borders(
    scenes: Scenes, clips: np.ndarray, down: int, right: int
) -> None:
    """Where objects are is known from their scenes: clips with most of them well across are cut wrongly, those with all
    of them clear of the borders are not."""
    across, clear = np.zeros((N, 16), bool), np.ones((N, 16), bool)
    reach = half_extent(scenes.radius, scenes.exponent)[:, None]
    for axis, (shift, size) in enumerate([(right, WIDTH), (down, HEIGHT)]):
        centre = scenes.centre[:, axis, None] + scenes.velocity[:, axis, None] * (np.arange(16) - 7.5)
        distance = np.minimum((centre + shift) % size, -(centre + shift) % size)  # from the border
        across |= distance < 0.4 * reach
        clear &= distance > reach + 1.5
    found = cut_wrongly(shifted(clips, down, right))
    wrong, right_ones = across.mean(axis=1) > 0.6, clear.all(axis=1)
    assert wrong.any() or max(abs(down), right) < 8
    assert right_ones.any() or abs(down) + right >= 16
    assert found[wrong].all()
    assert not found[right_ones].any()


def test_several_objects_in_a_frame_are_parts_of_several_frames(clips: np.ndarray) -> None:
    """Four small frames in one, as in the paper's Figure 13."""
    small = clips[:, :, ::2, ::2]
    four = np.concatenate([np.concatenate([small, small], axis=3)] * 2, axis=2)
    assert cut_wrongly(four).all()


def test_a_quarter_of_the_frames_is_tolerated(clips: np.ndarray) -> None:
    for frames, wrong in ((0, False), (4, False), (5, True)):
        mixed = clips[:1].copy()
        mixed[0, :frames] = _twice(clips[0, 0])
        assert wrong_frames(mixed).sum() == frames
        assert cut_wrongly(mixed)[0] == wrong


def _twice(frame: np.ndarray) -> np.ndarray:
    """A frame, half as large, twice beside itself."""
    small = frame[::2, ::2]
    ground = np.full_like(frame, np.median(frame, axis=(0, 1)))
    ground[8:24, :16], ground[8:24, 16:] = small, small
    return ground


def test_noise_on_the_borders_is_no_object() -> None:
    noisy = np.random.default_rng(0).integers(20, 40, (3, 16, HEIGHT, WIDTH, 3), np.uint8)
    assert not wrong_frames(noisy).any()


def test_clips_of_no_grid_are_refused(clips: np.ndarray) -> None:
    with pytest.raises(ValueError, match="clips of 8 frames are of no grid, expected a square number"):
        cut_wrongly(clips[:, :8])
