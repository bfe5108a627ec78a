"""D and D_t: from image embeddings to pixels."""

import pytest
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel

from pipeline.make_a_video import decoder
from pipeline.make_a_video.video_unet import PseudoVideoUNet
from tests.pipeline.make_a_video.small import SIZE
from tests.pipeline.tiny import EMBEDDING

STEPS = 2


@pytest.fixture
def image() -> torch.Tensor:
    return torch.randn(3, EMBEDDING, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def noise() -> torch.Tensor:
    return torch.randn(3, 3, 4, SIZE, SIZE, generator=torch.Generator().manual_seed(2))


@torch.no_grad()
def test_the_embedding_conditions_twice(images: UNet2DConditionModel, image: torch.Tensor, noise: torch.Tensor) -> None:
    """By what is added to the timestep's embedding, and by tokens that are attended to: each alone does something."""
    timestep = torch.tensor(500)
    found = decoder.predict_image(images, noise[:, :, 0], timestep, image)
    for part in (images.add_embedding, images.encoder_hid_proj):
        before = {name: value.clone() for name, value in part.state_dict().items()}
        for parameter in part.parameters():
            parameter.zero_()
        without = decoder.predict_image(images, noise[:, :, 0], timestep, image)
        assert (without - found).abs().max() > 1e-4
        part.load_state_dict(before)
    assert torch.equal(decoder.predict_image(images, noise[:, :, 0], timestep, image), found)


def test_attention_stands_below_the_first_resolution(images: UNet2DConditionModel) -> None:
    blocks = [*images.down_blocks, *images.up_blocks]
    assert [hasattr(block, "attentions") for block in blocks] == [False, True, True, False]


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_an_untrained_video_decoder_makes_the_images_of_the_same_noise(
    images: UNet2DConditionModel,
    untrained: PseudoVideoUNet,
    scheduler: DDIMScheduler,
    image: torch.Tensor,
    noise: torch.Tensor,
    guidance: float,
) -> None:
    found = decoder.videos(untrained, scheduler, image, noise, 8.0, STEPS, guidance)
    assert found.shape == noise.shape
    for i in range(4):
        frame = decoder.images(images, scheduler, image, noise[:, :, i], STEPS, guidance)
        assert torch.allclose(found[:, :, i], frame, atol=1e-4)


def test_a_video_is_made_of_its_own_embedding_noise_and_rate(
    videos: PseudoVideoUNet, scheduler: DDIMScheduler, image: torch.Tensor, noise: torch.Tensor
) -> None:
    def made(rows: slice, fps: float = 8.0, guidance: float = 2.0) -> torch.Tensor:
        return decoder.videos(videos, scheduler, image[rows], noise[rows], fps, STEPS, guidance)

    whole = made(slice(None))
    assert torch.equal(whole, made(slice(None)))
    assert torch.allclose(whole[1:2], made(slice(1, 2)), atol=1e-4)
    assert (whole - made(slice(None), fps=2.0)).abs().max() > 1e-3
    assert (whole - made(slice(None), guidance=1.0)).abs().max() > 1e-3
    swapped = decoder.videos(videos, scheduler, image.flip(0), noise, 8.0, STEPS, 2.0)
    assert (whole - swapped)[0].abs().max() > 1e-3
