"""The codec's training."""

from math import log10

import pytest
import torch

from pipeline.training import codec
from pipeline.training.pixels import to_model
from pipeline.training.task import step_generator
from tests.pipeline.training.small import CODEC, check, check_start, losses_of


def test_it_is_a_task() -> None:
    check(codec.CodecTask(CODEC, 0, "cpu"))


def test_weights_begin_as_the_seed_says() -> None:
    check_start(lambda seed: codec.CodecTask(CODEC, seed, "cpu"))


def test_validation_is_over_all_frames_of_unseen_scenes() -> None:
    """PSNR is 10 log10(1 / mean squared error) of values in [0, 1]; 10 scenes at the end, 8 of them before."""
    task = codec.CodecTask(CODEC.model_copy(update={"validation_scenes": 10}), 0, "cpu")
    known = {clip.tobytes() for clip in task.source.clips.numpy()}
    assert not any(clip.tobytes() in known for clip in task.unseen.numpy())
    with torch.no_grad():
        for final, scenes in ((False, 8), (True, 10)):
            frames = to_model(task.unseen[:scenes].flatten(0, 1))
            latents = task.codec.encode(frames).latent_dist.mean
            error = (task.codec.decode(latents).sample - frames) / 2
            measured = task.validate(final)
            assert measured["psnr_db"] == pytest.approx(-10 * log10((error**2).mean().item()), rel=1e-4)
            assert measured["latent_std"] == pytest.approx(latents.std().item(), rel=1e-4)
            assert task.codec.config.scaling_factor == pytest.approx(1 / latents.std().item(), rel=1e-4)


def test_a_batch_is_frames_of_scenes_and_noise_of_their_latents() -> None:
    task, generator = codec.CodecTask(CODEC, 0, "cpu"), step_generator(0, 7)
    scenes = torch.randint(4, (4,), generator=generator)
    frames = torch.randint(16, (4,), generator=generator)
    batch = task.source.batch(7)
    for scene, frame, image in zip(scenes, frames, batch.images, strict=True):
        assert torch.equal(image, to_model(task.source.clips[scene, frame]))
    with torch.no_grad():
        assert batch.noise.shape == task.codec.encode(batch.images).latent_dist.mean.shape
    assert torch.equal(batch.noise, torch.randn(batch.noise.shape, generator=generator))


def test_the_loss_is_absolute_and_squared_error_and_divergence() -> None:
    task = codec.CodecTask(CODEC, 0, "cpu")
    batch, losses = task.source.batch(0), losses_of(task, 0)
    with torch.no_grad():
        posterior = task.codec.encode(batch.images).latent_dist
        mean, variance = posterior.mean, posterior.std**2
        error = task.codec.decode(mean + posterior.std * batch.noise).sample - batch.images
    divergence = 0.5 * (mean**2 + variance - 1 - variance.log()).flatten(1).sum(dim=1)
    expected = {"l1": error.abs().mean(), "mse": (error**2).mean(), "kl": divergence.mean()}
    assert set(losses.parts) == set(expected)
    for name, value in expected.items():
        assert losses.parts[name].item() == pytest.approx(value.item(), rel=1e-4), name
    total = expected["l1"] + expected["mse"] + CODEC.kl * expected["kl"]
    assert losses.total.item() == pytest.approx(total.item(), rel=1e-4)
