import pytest
import torch
from diffusers import UNet2DConditionModel

from pipeline.harivo.unet import VideoUNet, inflate
from tests.pipeline import tiny

FRAMES = 4


@pytest.fixture
def images() -> UNet2DConditionModel:
    """A text-to-image UNet of latents (B, 4, 8, 8), random weights."""
    return tiny.image_unet()


@pytest.fixture
def video(images: UNet2DConditionModel) -> VideoUNet:
    """The same inflated, its temporal layers moved away from their first zeros."""
    unet = inflate(images, FRAMES, heads=2)
    generator = torch.Generator().manual_seed(1)
    for name, parameter in unet.named_parameters():
        if "motion_modules" in name:
            parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return unet


@pytest.fixture
def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noisy latents (2, 4, F, 8, 8), timesteps (2,), and text tokens (2 F, 6, 12), equal in all frames of a video."""
    generator = torch.Generator().manual_seed(2)
    text = torch.randn(2, 6, tiny.IMAGE_TEXT_WIDTH, generator=generator).repeat_interleave(FRAMES, dim=0)
    return torch.randn(2, 4, FRAMES, 8, 8, generator=generator), torch.tensor([3, 700]), text
