"""Clips at several sizes, and embeddings of their frames."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.make_a_video.embedding import JointSpace
from pipeline.make_a_video.pyramid import (
    EMBEDDED,
    clips_of,
    embeddings_of,
    joint_space,
    psnr,
    scaled,
    shrunk,
)
from pipeline.world.render import render
from pipeline.world.scene import FRAMES, draw
from tests.pipeline.tiny import EMBEDDING

SHADING = 0.35


@pytest.fixture(scope="module")
def space(world_clip_folder: Path, sentence_folder: Path) -> JointSpace:
    return joint_space(str(world_clip_folder), str(sentence_folder))


@settings(max_examples=15)
@given(size=st.integers(1, 4), times=st.integers(1, 4), axes=st.integers(0, 3))
def test_small_pixels_are_means_of_large_ones(size: int, times: int, axes: int) -> None:
    side = size * times
    large = np.random.default_rng(side).normal(size=(2,) * axes + (3, side, side))
    found = shrunk(torch.from_numpy(large), size)
    assert found.shape == (*large.shape[:-2], size, size)
    for y, x in np.ndindex(size, size):
        part = large[..., y * times : (y + 1) * times, x * times : (x + 1) * times]
        assert found[..., y, x].numpy() == pytest.approx(part.mean(axis=(-2, -1)), abs=1e-9)


def test_sizes_that_do_not_divide_are_named() -> None:
    with pytest.raises(ValueError, match="frames of 10 pixels cannot be averaged to 4, expected a divisor"):
        shrunk(torch.zeros(3, 10, 10), 4)


def test_clips_are_averages_of_what_is_rendered() -> None:
    """More of them than are rendered at once; by numpy, and within a rounding."""
    _, scenes = draw(70, 3)
    found, whole = clips_of(scenes, SHADING, 16, 8), render(scenes, SHADING, FRAMES, 16)
    assert found.dtype == torch.uint8
    assert found.shape == (70, FRAMES, 3, 8, 8)
    wanted = whole.reshape(70, FRAMES, 8, 2, 8, 2, 3).astype(float).mean(axis=(3, 5))
    assert np.abs(found.movedim(2, -1).numpy() - wanted).max() <= 0.51
    assert np.array_equal(clips_of(scenes[:3], SHADING, 16, 16).movedim(2, -1).numpy(), whole[:3])


def test_embeddings_are_those_of_the_frames_that_are_asked_for(space: JointSpace) -> None:
    _, scenes = draw(3, 4)
    found = embeddings_of(scenes, SHADING, 64, space)
    assert found.shape == (3, len(EMBEDDED), EMBEDDING)
    assert torch.allclose(embeddings_of(scenes, SHADING, 64, space, (9, 2)), found[:, [2, 0]], atol=1e-5)
    whole = render(scenes, SHADING, FRAMES, 64)[1, EMBEDDED[2]] / 255
    seen = torch.from_numpy(whole.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))).float().movedim(-1, 0)
    assert torch.allclose(found[1, 2], space.images(seen[None])[0], atol=1e-4)


def test_they_depend_on_the_shading(space: JointSpace) -> None:
    _, scenes = draw(2, 4)
    assert not torch.allclose(embeddings_of(scenes, 0, 64, space), embeddings_of(scenes, 0.35, 64, space), atol=1e-3)


def test_embedded_frames_are_of_a_clip() -> None:
    assert list(EMBEDDED) == sorted(set(EMBEDDED))
    assert set(EMBEDDED) <= set(range(FRAMES))


def test_bytes_reach_from_black_to_white() -> None:
    found = scaled(torch.tensor([0, 255], dtype=torch.uint8))
    assert found.tolist() == [-1, 1]


def test_psnr_is_the_mean_over_clips_of_the_formula() -> None:
    """In decibels, of a range of 2; an error of 0.2 everywhere is 20 dB, and what is out of the range is cut."""
    true = torch.zeros(2, 3, 4)
    assert psnr(true + 0.2, true) == pytest.approx(20, abs=1e-4)
    errors = torch.stack([torch.full((3, 4), 0.2), torch.full((3, 4), 0.02)])
    assert psnr(errors, true) == pytest.approx(30, abs=1e-4)
    assert psnr(torch.full((1, 4), 9.0), torch.ones(1, 4)) == pytest.approx(10 * np.log10(4e10))
