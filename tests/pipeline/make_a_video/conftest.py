"""The cascade's networks made small, for a test each."""

import pytest
from diffusers import DDIMScheduler, UNet2DConditionModel

from pipeline.make_a_video.diffusion import noise_schedule
from pipeline.make_a_video.video_unet import PseudoVideoUNet
from tests.pipeline.make_a_video import small


@pytest.fixture
def images() -> UNet2DConditionModel:
    """D."""
    return small.image_decoder()


@pytest.fixture
def untrained(images: UNet2DConditionModel) -> PseudoVideoUNet:
    """D_t before its first step."""
    return PseudoVideoUNet.of(images, small.HEADS, small.MOST_FRAMES, rated=True).eval()


@pytest.fixture
def videos() -> PseudoVideoUNet:
    """D_t, whose layers over time do something."""
    return small.video_decoder()


@pytest.fixture
def scheduler() -> DDIMScheduler:
    return noise_schedule()
