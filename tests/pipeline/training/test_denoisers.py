"""The trainings that denoise captioned latents: the video transformer and the text-to-image model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.training import codec, cogvideox, t2i
from pipeline.training.denoising import NoisingSource, single_frames, target, uniform, whole_clips
from pipeline.training.latents import CaptionedLatents, CaptionEncoder
from pipeline.training.task import step_generator
from tests.pipeline.training.small import CODEC, IMAGE, TEXT, VIDEO, by_hand, check, embed_by, losses_of


@pytest.fixture(scope="module")
def encoder(minilm: Path) -> CaptionEncoder:
    return CaptionEncoder.of(TEXT, embed_by("minilm", minilm, 20, zero_padding=True, scale=4.0))


@pytest.fixture(scope="module")
def video(encoder: CaptionEncoder) -> cogvideox.VideoTask:
    return cogvideox.VideoTask(VIDEO, codec.build(CODEC), encoder, 0, "cpu")


@pytest.fixture(scope="module")
def image(encoder: CaptionEncoder) -> t2i.ImageTask:
    return t2i.ImageTask(IMAGE, codec.build(CODEC), encoder, 0, "cpu")


def test_the_video_loss_is_that_of_v_example_by_example(video: cogvideox.VideoTask) -> None:
    def predict(noisy: torch.Tensor, timestep: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        return video.model(noisy, text, timestep, image_rotary_emb=video.rotary).sample

    expected = by_hand(video, video.scheduler, predict)
    assert losses_of(video, 0).total.item() == pytest.approx(expected, rel=1e-4)
    assert losses_of(video, 0).parts == {}


def test_the_image_loss_is_that_of_v_example_by_example(image: t2i.ImageTask) -> None:
    expected = by_hand(image, image.images.scheduler, lambda *inputs: image.model(*inputs).sample)
    assert losses_of(image, 0).total.item() == pytest.approx(expected, rel=1e-4)


def test_the_video_transformer_is_a_task(video: cogvideox.VideoTask) -> None:
    check(video)
    assert video.picture().shape == (4 * 32, 8 * 32, 3)


def test_the_image_model_is_a_task(image: t2i.ImageTask) -> None:
    check(image)
    assert image.picture().shape == (32, 8 * 32, 3)


@pytest.mark.parametrize("drop", [None, 0.0, 0.5, 1.0])
@pytest.mark.parametrize("take", [whole_clips, single_frames])
def test_what_a_batch_is_drawn_of(encoder: CaptionEncoder, take: Callable[..., Any], drop: float | None) -> None:
    """Row by row, in the order that shipped curves rest on: clips, frames, dropped captions, timesteps, noise."""
    latents = torch.randn(5, 3, 2, 4, 4).half()
    data = CaptionedLatents(latents, [f"A circle {i}." for i in range(5)], encoder)
    batch = NoisingSource(data, 3, 6, take, uniform(cogvideox.noise_schedule()), drop).batch(9)
    generator = step_generator(3, 9)
    rows = torch.randint(5, (6,), generator=generator).tolist()
    frames = torch.randint(3, (6,), generator=generator).tolist() if take is single_frames else [slice(None)] * 6
    dropped = [False] * 6 if drop is None else (torch.rand(6, generator=generator) < drop).tolist()
    assert torch.equal(batch.timestep, torch.randint(1000, (6,), generator=generator))
    assert torch.equal(batch.noise, torch.randn(batch.clean.shape, generator=generator))
    for i, (row, frame, no_text) in enumerate(zip(rows, frames, dropped, strict=True)):
        assert torch.equal(batch.clean[i], latents[row][frame].float())
        text = data.texts[data.text_of[row]].float() * 4
        assert torch.equal(batch.text[i], torch.zeros_like(text) if no_text else text)
    assert all(dropped) == (drop == 1)


def test_the_denoising_target_is_v() -> None:
    """v = √ᾱ ε - √(1-ᾱ) x, and the last timestep is pure noise (zero terminal SNR)."""
    scheduler = cogvideox.noise_schedule()
    clean, noise, t = torch.randn(2, 3), torch.randn(2, 3), torch.tensor([10, 999])
    alpha = scheduler.alphas_cumprod[t][:, None].float()
    expected = alpha.sqrt() * noise - (1 - alpha).sqrt() * clean
    assert torch.allclose(target(scheduler, clean, noise, t), expected, atol=1e-6)
    assert torch.allclose(scheduler.add_noise(clean, noise, t)[1], noise[1], atol=1e-4)


def test_an_unknown_parametrisation_is_named() -> None:
    scheduler = t2i.noise_schedule()
    scheduler.register_to_config(prediction_type="sample")
    with pytest.raises(ValueError, match="prediction_type is 'sample', expected epsilon or v_prediction"):
        target(scheduler, torch.zeros(1), torch.zeros(1), torch.zeros(1, dtype=torch.long))
