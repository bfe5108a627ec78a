"""↑F: which frames stay, which windows there are, and linear blending by numpy."""

import itertools
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.make_a_video.diffusion import noise_schedule
from pipeline.make_a_video.interpolation import Interpolator, blended, observed, spaced, windows
from tests.pipeline.make_a_video.small import MOST_FRAMES, interpolation
from tests.pipeline.tiny import EMBEDDING

SIDE = 4
UNET = cache(interpolation)


def interpolator(window: int = MOST_FRAMES, steps: int = 1, guidance: float = 1.0) -> Interpolator:
    return Interpolator(UNET(), noise_schedule(), steps, guidance, window)


def drawn(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


IMAGE = drawn(0, 2, EMBEDDING)


@given(st.lists(st.booleans(), min_size=1, max_size=6), st.integers(1, 3))
@settings(max_examples=20)
def test_what_is_told_of_a_video(known: list[bool], batch: int) -> None:
    """Frame by frame: its pixels and ones where it is known, else zeros."""
    frames = drawn(1, batch, 3, len(known), 2, 2)
    told = observed(frames, torch.tensor(known).expand(batch, -1))
    assert told.shape == (batch, 4, len(known), 2, 2)
    for i, one in enumerate(known):
        assert torch.equal(told[:, :3, i], frames[:, :, i] if one else torch.zeros_like(frames[:, :, i]))
        assert told[:, 3, i].unique().tolist() == [float(one)]


def test_what_is_told_of_a_frame_that_is_not_known_does_not_depend_on_it() -> None:
    known = torch.tensor([[True, False], [False, True]])
    frames = drawn(1, 2, 3, 2, 2, 2)
    other = torch.where(known[:, None, :, None, None], frames, 7.0)
    assert torch.equal(observed(frames, known), observed(other, known))


@given(frames=st.integers(1, 6), factor=st.integers(1, 6))
@settings(max_examples=20)
def test_zeros_stand_between_the_frames(frames: int, factor: int) -> None:
    video = drawn(2, 2, 3, frames, 2, 2)
    found, known = spaced(video, factor)
    assert found.shape[2] == len(known) == (frames - 1) * factor + 1
    for i in range(len(known)):
        assert bool(known[i]) == (i % factor == 0)
        assert torch.equal(found[:, :, i], video[:, :, i // factor] if known[i] else torch.zeros(2, 3, 2, 2))


@given(frames=st.integers(2, 40), factor=st.integers(1, 8), further=st.integers(0, 20))
def test_windows_cover_all_frames_and_meet_at_known_ones(frames: int, factor: int, further: int) -> None:
    window, total = factor + 1 + further, (frames - 1) * factor + 1
    found = list(windows(total, factor, window))
    assert {i for part in found for i in range(part.start, part.stop)} == set(range(total))
    for part in found:
        assert 2 <= part.stop - part.start <= window
        assert part.start % factor == (part.stop - 1) % factor == 0
    for before, after in itertools.pairwise(found):
        assert after.start == before.stop - 1


def test_the_papers_16_frames_become_76() -> None:
    """Five windows of 16 frames, four known ones in each."""
    found = [(part.start, part.stop) for part in windows(76, 5, 16)]
    assert found == [(0, 16), (15, 31), (30, 46), (45, 61), (60, 76)]
    made = interpolator().interpolate(drawn(3, 1, 3, 16, SIDE, SIDE), 5, IMAGE[:1], 8.0, drawn(4, 1, 3, 76, SIDE, SIDE))
    assert made.shape == (1, 3, 76, SIDE, SIDE)


@settings(max_examples=12)
@given(frames=st.integers(1, 4), factor=st.integers(1, 5), window=st.integers(6, 9))
def test_known_frames_are_returned_bit_for_bit(frames: int, factor: int, window: int) -> None:
    """Values out of [-1, 1] too, whatever the number of windows; the others are made."""
    video, total = 3 * drawn(3, 2, 3, frames, SIDE, SIDE), (frames - 1) * factor + 1
    before = video.clone()
    made = interpolator(window).interpolate(video, factor, IMAGE, 8.0, drawn(4, 2, 3, total, SIDE, SIDE))
    assert made.shape[2] == total
    assert torch.equal(made[:, :, ::factor], video)
    assert torch.equal(video, before)
    assert bool(made.flatten(3).abs().sum(dim=(0, 1, 3)).gt(0).all())


@settings(max_examples=12)
@given(frames=st.integers(1, 4), before=st.integers(0, 5), after=st.integers(0, 5), window=st.integers(6, 9))
def test_extrapolation_returns_what_it_was_given(frames: int, before: int, after: int, window: int) -> None:
    video, total = 3 * drawn(3, 2, 3, frames, SIDE, SIDE), before + frames + after
    made = interpolator(window).extrapolate(video, before, after, IMAGE, 8.0, drawn(4, 2, 3, total, SIDE, SIDE))
    assert made.shape[2] == total
    assert torch.equal(made[:, :, before : before + frames], video)
    assert bool(made.flatten(3).abs().sum(dim=(0, 1, 3)).gt(0).all())


def interpolated(video: torch.Tensor, noise: torch.Tensor, **own: float) -> torch.Tensor:
    return interpolator(6).interpolate(video, 2, own.get("image", IMAGE), own.get("fps", 8.0), noise)


def test_new_frames_depend_on_those_of_their_window_and_on_no_others() -> None:
    """Of seven frames in windows of five, the last of the first window is the first of the second."""
    video, noise = drawn(3, 2, 3, 4, SIDE, SIDE), drawn(4, 2, 3, 7, SIDE, SIDE)
    made = interpolated(video, noise)
    assert torch.equal(made, interpolated(video, noise))
    other = video.clone()
    other[:, :, 3] = 0
    moved = (interpolated(other, noise) - made).abs().amax(dim=(0, 1, 3, 4))
    assert moved[[1, 3]].tolist() == [0, 0]
    assert moved[5] > 1e-4
    elsewhere = noise.clone()
    elsewhere[:, :, 1] = 0
    moved = (interpolated(video, elsewhere) - made).abs().amax(dim=(0, 1, 3, 4))
    assert moved[1] > 1e-4
    assert moved[5] == 0


def test_new_frames_depend_on_embedding_and_rate() -> None:
    video, noise = drawn(3, 2, 3, 3, SIDE, SIDE), drawn(4, 2, 3, 5, SIDE, SIDE)
    made = interpolated(video, noise)
    for other in ({"image": IMAGE.flip(0)}, {"fps": 2.0}):
        assert (interpolated(video, noise, **other) - made).abs().max() > 1e-4
    alone = interpolator(6).interpolate(video[1:], 2, IMAGE[1:], 8.0, noise[1:])
    assert torch.allclose(alone, made[1:], atol=1e-4)


def test_guidance_tells_both_halves_what_is_known() -> None:
    """Guided by hand: a step from noise alone leaves -v, of each half clipped together."""
    known, fps = torch.tensor([True, False, False, True]), torch.tensor([8.0])
    video, noise = drawn(3, 2, 3, 4, SIDE, SIDE), drawn(4, 2, 3, 4, SIDE, SIDE)
    found = interpolator(guidance=3.0).fill(video, known, IMAGE, 8.0, noise)
    told = torch.cat([noise, observed(video, known.expand(2, -1))], dim=1)
    with torch.no_grad():
        without, towards = (UNET()(told, torch.tensor(999), one, fps) for one in (torch.zeros_like(IMAGE), IMAGE))
    alpha = noise_schedule().alphas_cumprod[999]
    wanted = alpha.sqrt() * noise - (1 - alpha).sqrt() * (without + 3 * (towards - without))
    assert torch.allclose(found[:, :, 1:3], wanted.clamp(-1, 1)[:, :, 1:3], atol=1e-4)


@pytest.mark.parametrize("factor", [0, 16, 20])
def test_factors_that_leave_no_two_known_frames_in_a_window_are_refused(factor: int) -> None:
    with pytest.raises(ValueError, match=f"factor: found {factor}, expected 1 to 15, to fit windows of 16"):
        interpolator().interpolate(
            drawn(3, 1, 3, 2, SIDE, SIDE), factor, IMAGE[:1], 8.0, drawn(4, 1, 3, 21, SIDE, SIDE)
        )


@pytest.mark.parametrize(("before", "after"), [(16, 0), (0, 16), (-1, 2), (2, -1)])
def test_extrapolations_longer_than_a_window_are_refused(before: int, after: int) -> None:
    video, noise = drawn(3, 1, 3, 2, SIDE, SIDE), drawn(4, 1, 3, 20, SIDE, SIDE)
    with pytest.raises(ValueError, match=f"found {before} before and {after} after, expected 0 to 15 of each"):
        interpolator().extrapolate(video, before, after, IMAGE[:1], 8.0, noise)


@settings(max_examples=20)
@given(frames=st.integers(2, 6), factor=st.integers(1, 6))
def test_blending_is_linear_interpolation_of_every_pixel(frames: int, factor: int) -> None:
    video = drawn(5, 2, 3, frames, 3, 2)
    found, total = blended(video, factor), (frames - 1) * factor + 1
    assert found.shape == (2, 3, total, 3, 2)
    places = np.arange(total) / factor
    for b, c, y, x in np.ndindex(2, 3, 3, 2):
        wanted = np.interp(places, np.arange(frames), video[b, c, :, y, x].numpy())
        assert found[b, c, :, y, x].numpy() == pytest.approx(wanted, abs=1e-5)
