"""The trainings that denoise captioned latents: the video transformer and the text-to-image model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.training import codec, cogvideox, t2i
from pipeline.training.denoising import NoisingSource, single_frames, target, uniform, whole_clips
from pipeline.training.latents import CaptionedLatents, CaptionEncoder
from pipeline.training.task import step_generator
from tests.pipeline.training.small import CODEC, IMAGE, TEXT, VIDEO, by_hand, check, check_start, embed_by, losses_of


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


def test_weights_begin_as_the_seed_says(encoder: CaptionEncoder) -> None:
    check_start(lambda seed: cogvideox.VideoTask(VIDEO, codec.build(CODEC), encoder, seed, "cpu"))
    check_start(lambda seed: t2i.ImageTask(IMAGE, codec.build(CODEC), encoder, seed, "cpu"))


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


def scaled_linear() -> np.ndarray:
    """ᾱ of Stable Diffusion's schedule: √β runs evenly from √0.00085 to √0.012."""
    return np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2)


def test_the_image_models_schedule_is_stable_diffusions() -> None:
    scheduler = t2i.noise_schedule()
    assert scheduler.alphas_cumprod.numpy() == pytest.approx(scaled_linear(), rel=1e-4)
    scheduler.set_timesteps(4)
    assert scheduler.timesteps.tolist() == [999, 749, 499, 249]  # trailing: from the very last


def test_the_video_models_schedule_ends_in_pure_noise() -> None:
    """Lin et al. 2024, Algorithm 1: √ᾱ is shifted and stretched so that it ends at 0 and begins as before."""
    scheduler, root = cogvideox.noise_schedule(), scaled_linear() ** 0.5
    rescaled = (root - root[-1]) * root[0] / (root[0] - root[-1])
    assert scheduler.alphas_cumprod.numpy() == pytest.approx(rescaled**2, rel=1e-4, abs=1e-7)
    scheduler.set_timesteps(4)
    assert scheduler.timesteps.tolist() == [999, 749, 499, 249]


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_the_target_follows_the_parametrisation(kind: str) -> None:
    """Epsilon is the noise; v = √ᾱ ε - √(1-ᾱ) x, of which the last timestep leaves -x."""
    scheduler = cogvideox.noise_schedule()
    scheduler.register_to_config(prediction_type=kind)
    clean, noise = torch.randn(2, 2, 3)
    made = target(scheduler, clean, noise, torch.tensor([0, 999]))
    assert torch.allclose(made[1], noise[1] if kind == "epsilon" else -clean[1], atol=1e-4)
    assert torch.allclose(made[0], noise[0], atol=0.2)


def test_an_unknown_parametrisation_is_named() -> None:
    scheduler = t2i.noise_schedule()
    scheduler.register_to_config(prediction_type="sample")
    with pytest.raises(ValueError, match="prediction_type is 'sample', expected epsilon or v_prediction"):
        target(scheduler, torch.zeros(1), torch.zeros(1), torch.zeros(1, dtype=torch.long))
