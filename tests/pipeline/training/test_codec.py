"""The codec's training."""

from dataclasses import replace
from math import log10

import numpy as np
import pytest
import torch

from pipeline.training import codec
from pipeline.training.pixels import to_model
from pipeline.training.task import step_generator
from pipeline.world.scene import COLOURS, draw
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
            measured = task.validate(final)
            frames = to_model(task.unseen[:scenes].flatten(0, 1))
            latents = task.codec.encode(frames).latent_dist.mean
            error = (task.codec.decode(latents).sample - frames) / 2
            assert measured["psnr_db"] == pytest.approx(-10 * log10((error**2).mean().item()), rel=1e-4)
            assert latents.std(dim=(0, 2, 3)).numpy() == pytest.approx(np.ones(5), abs=0.1)


def test_a_batch_is_frames_in_two_colours_and_noise_of_their_latents() -> None:
    task, generator = codec.CodecTask(CODEC, 0, "cpu"), step_generator(0, 7)
    scenes = torch.randint(4, (4,), generator=generator)
    frames = torch.randint(16, (4,), generator=generator)
    batch = task.source.batch(7)
    for scene, frame, image, other in zip(scenes, frames, batch.images, batch.recoloured, strict=True):
        assert torch.equal(image, to_model(task.source.clips[scene, frame]))
        assert torch.equal(other, to_model(task.source.recoloured[scene, frame]))
        assert not torch.equal(image, other)
    noise = torch.randn(4, 5, 8, 8, generator=generator)
    assert torch.equal(batch.noise, noise * torch.rand(4, 1, 1, 1, generator=generator))


def test_recoloured_clips_differ_in_colour_alone() -> None:
    """Where the object is, they differ; the ground is the same."""
    source = codec.CodecTask(CODEC, 0, "cpu").source
    same = (source.clips == source.recoloured).all(dim=-1)
    ground = source.clips[:, :, :1, :1]
    empty = (source.clips == ground).all(dim=-1)
    assert same[empty].float().mean() > 0.999  # a rim may round to the ground's grey in one colour
    assert same[~empty].float().mean() < 0.1


def test_the_loss_is_the_sum_of_its_parts() -> None:
    task = codec.CodecTask(CODEC, 0, "cpu")
    batch, losses = task.source.batch(0), losses_of(task, 0)
    with torch.no_grad():
        raw = [torch.cat([task.codec.colours(x), task.codec.structure(x)], 1) for x in (batch.images, batch.recoloured)]
        noisy = raw[0] + torch.tensor([0.1] * 3 + [0.3] * 2)[:, None, None] * batch.noise
        error = task.codec.compose(noisy[:, :3], noisy[:, 3:]) - batch.images
    expected = {
        "l1": error.abs().mean(),
        "mse": (error**2).mean(),
        "free": ((raw[0][:, 3:] - raw[1][:, 3:]) ** 2).mean(),
        "size": (raw[0][:, 3:] ** 2).mean(),
    }
    assert set(losses.parts) == set(expected)
    for name, value in expected.items():
        assert losses.parts[name].item() == pytest.approx(value.item(), rel=1e-4), name
    total = expected["l1"] + expected["mse"] + CODEC.free * expected["free"] + CODEC.size * expected["size"]
    assert losses.total.item() == pytest.approx(total.item(), rel=1e-4)


def test_the_hue_error_is_of_the_worst_pair() -> None:
    """A codec that shows every mean of colours as red is off by the whole way from red to the hue between a pair."""
    task = codec.CodecTask(CODEC, 0, "cpu")
    _, scenes = draw(4, 5)
    assert task.hue_error(scenes) < 5  # untrained, it shows patches' mean colours
    red = to_model(codec.render(replace(scenes, rgb=np.tile(COLOURS["red"], (4, 1))))[:, 7])
    task.codec.decode = lambda _: type("Decoded", (), {"sample": red})
    assert task.hue_error(scenes) > 90
