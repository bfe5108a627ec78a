"""SR_t and SR_h: sizes, what they are given, and what the same noise for all frames does."""

import pytest
import torch
from diffusers import DDIMScheduler
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.make_a_video import upscaling
from pipeline.make_a_video.video_unet import PseudoVideoUNet
from tests.pipeline.make_a_video.small import MOST_FRAMES, upscaler, video_upscaler

LOW, SIDE, FRAMES, STEPS = 4, 8, 3, 2


def drawn(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def low() -> torch.Tensor:
    """Two clips whose frames are alike."""
    return drawn(1, 2, 3, 1, LOW, LOW).clamp(-1, 1).expand(-1, -1, FRAMES, -1, -1)


def test_the_same_noise_makes_equal_frames_of_equal_frames(low: torch.Tensor, scheduler: DDIMScheduler) -> None:
    """Independent noise makes details that differ; noise of each frame that is the same is the first case."""
    unet = upscaler(SIDE)
    one, own = drawn(2, 2, 3, SIDE, SIDE), drawn(3, 2, 3, FRAMES, SIDE, SIDE)
    same = upscaling.upscaled_frames(unet, scheduler, low, one, STEPS)
    assert same.shape == (2, 3, FRAMES, SIDE, SIDE)
    assert all(torch.equal(same[:, :, i], same[:, :, 0]) for i in range(FRAMES))
    apart = upscaling.upscaled_frames(unet, scheduler, low, own, STEPS)
    assert all((apart[:, :, i] - apart[:, :, 0]).abs().max() > 1e-2 for i in range(1, FRAMES))
    repeated = one[:, :, None].expand(-1, -1, FRAMES, -1, -1)
    assert torch.equal(upscaling.upscaled_frames(unet, scheduler, low, repeated, STEPS), same)


def test_frames_are_enlarged_one_by_one(scheduler: DDIMScheduler) -> None:
    unet, low, noise = upscaler(SIDE), drawn(1, 2, 3, FRAMES, LOW, LOW), drawn(2, 2, 3, SIDE, SIDE)
    whole = upscaling.upscaled_frames(unet, scheduler, low, noise, STEPS)
    for i in range(FRAMES):
        alone = upscaling.upscaled_frames(unet, scheduler, low[:, :, i : i + 1], noise, STEPS)
        assert torch.equal(alone[:, :, 0], whole[:, :, i])


def test_at_initialisation_videos_are_enlarged_as_frames(scheduler: DDIMScheduler) -> None:
    unet, low, noise = upscaler(SIDE), drawn(1, 2, 3, FRAMES, LOW, LOW), drawn(2, 2, 3, FRAMES, SIDE, SIDE)
    model = PseudoVideoUNet.of(unet, 1, MOST_FRAMES, rated=False).eval()
    found = upscaling.upscaled_videos(model, scheduler, low, noise, STEPS)
    assert torch.allclose(found, upscaling.upscaled_frames(unet, scheduler, low, noise, STEPS), atol=1e-4)


def test_layers_over_time_see_other_frames(scheduler: DDIMScheduler) -> None:
    model, low, noise = video_upscaler(SIDE), drawn(1, 2, 3, FRAMES, LOW, LOW), drawn(2, 2, 3, FRAMES, SIDE, SIDE)
    other = low.clone()
    other[:, :, 2] = 0
    moved = upscaling.upscaled_videos(model, scheduler, other, noise, STEPS)
    assert (moved - upscaling.upscaled_videos(model, scheduler, low, noise, STEPS))[:, :, 0].abs().max() > 1e-4


@settings(max_examples=10)
@given(frames=st.integers(1, 4), side=st.integers(1, 4), times=st.integers(1, 4), batch=st.integers(1, 2))
def test_videos_are_enlarged_frame_by_frame(frames: int, side: int, times: int, batch: int) -> None:
    low = drawn(frames, batch, 3, frames, side, side)
    found = upscaling.enlarged_videos(low, side * times)
    assert found.shape == (batch, 3, frames, side * times, side * times)
    for b in range(batch):
        for i in range(frames):
            wanted = upscaling.enlarged(low[b, None, :, i], side * times)[0]
            assert torch.allclose(found[b, :, i], wanted, atol=1e-5)


def test_an_even_frame_stays_even_and_a_size_stays() -> None:
    assert torch.allclose(upscaling.enlarged(torch.full((1, 3, 4, 4), 0.3), 12), torch.full((1, 3, 12, 12), 0.3))
    low = drawn(1, 1, 3, 4, 4)
    assert torch.allclose(upscaling.enlarged(low, 4), low, atol=1e-6)


@pytest.mark.parametrize("axes", [(), (FRAMES,)], ids=["images", "videos"])
def test_the_networks_take_noise_and_the_enlarged_frames(axes: tuple[int, ...]) -> None:
    noisy, low = drawn(1, 2, 3, *axes, SIDE, SIDE), drawn(2, 2, 3, *axes, LOW, LOW)
    found = upscaling.with_low(noisy, low)
    assert found.shape == (2, 6, *axes, SIDE, SIDE)
    assert torch.equal(found[:, :3], noisy)
    wanted = torch.nn.functional.interpolate(low.reshape(-1, 1, LOW, LOW), scale_factor=2, mode="bicubic")
    assert torch.allclose(found[:, 3:].reshape(-1, 1, SIDE, SIDE), wanted, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("size", [8, 16])
def test_it_takes_any_size(size: int) -> None:
    """It has convolutions alone: trained on parts, it enlarges the whole."""
    unet = upscaler(SIDE)
    made = upscaling.predict(unet, drawn(1, 1, 3, size, size), torch.tensor(5), drawn(2, 1, 3, 4, 4))
    assert made.shape == (1, 3, size, size)
    assert not any("attention" in type(one).__name__.lower() for one in unet.modules())
