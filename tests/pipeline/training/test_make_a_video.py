"""Make-A-Video's trainings: losses example by example, what learns and what stays, validations, folders."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pipeline.config.train import Schedule
from pipeline.make_a_video.decoder import predict_image
from pipeline.make_a_video.loading import load_images, load_prior, load_videos
from pipeline.make_a_video.video_unet import PseudoVideoUNet
from pipeline.training.decoder import as_judged
from pipeline.training.embedded import EmbeddedNoising, pixel_loss
from pipeline.training.loop import silent, train
from pipeline.training.prior import _ranks_first
from pipeline.world.scene import Names
from tests.pipeline.training.cascade import TRAININGS, Place, export_of, task_of
from tests.pipeline.training.small import check, check_start, losses_of, moved

MEASURED = {
    "prior": {"cosine", "ranked_first"},
    "decoder": {"judge_colour", "judge_shape", "judge_texture", "judge_size", "judge_heading", "judge_one_object"},
    "video_decoder": {
        "judge_colour",
        "judge_shape",
        "judge_texture",
        "judge_size",
        "judge_motion",
        "judge_heading",
        "judge_one_object",
    },
    "interpolation": {"psnr_2", "blended_psnr_2", "psnr_3", "blended_psnr_3"},
    "upscaler": {"psnr", "bicubic_psnr"},
    "video_upscaler": {"psnr", "bicubic_psnr"},
}


@pytest.mark.parametrize("name", TRAININGS)
def test_it_is_a_task(place: Place, name: str) -> None:
    """The loss of a step is the step's, every weight that asks for it learns, metrics are numbers. A shift of all keys
    changes no attention: those of the prior alone have a bias."""
    task = task_of(name, place)
    check(task, ["transformer.transformer_blocks.0.attn1.to_k.bias"] if name == "prior" else [])
    with torch.no_grad():
        assert set(task.validate(final=True)) == MEASURED[name]


@pytest.mark.parametrize("name", TRAININGS)
def test_weights_begin_as_the_seed_says(place: Place, name: str) -> None:
    """Those of ↑F and SR_t are another network's, and zeros and ones: nothing of them is drawn."""
    if name in ("interpolation", "video_upscaler"):
        first, second = (list(task_of(name, place, seed).model.parameters()) for seed in (0, 1))
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    else:
        check_start(lambda seed: task_of(name, place, seed))


def v_by_hand(task: Any, clean: torch.Tensor, noise: torch.Tensor, timestep: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """√ᾱ x + √(1-ᾱ) ε and v = √ᾱ ε - √(1-ᾱ) x of one example."""
    alpha = task.scheduler.alphas_cumprod[timestep]
    return alpha.sqrt() * clean + (1 - alpha).sqrt() * noise, alpha.sqrt() * noise - (1 - alpha).sqrt() * clean


def predicted(name: str, task: Any, noisy: torch.Tensor, row: EmbeddedNoising) -> torch.Tensor:
    """What the network of one example says, called as its own documentation asks."""
    if name == "decoder":
        return predict_image(task.model, noisy, row.timestep, row.image)
    if name == "video_decoder":
        return task.model(noisy, row.timestep, row.image, row.fps)
    if name == "interpolation":
        mask = row.known[:, None, :, None, None].float() * torch.ones_like(noisy[:, :1])
        return task.model(torch.cat([noisy, row.clean * mask, mask], dim=1), row.timestep, row.image, row.fps)
    frames = noisy.movedim(1, -3).reshape(-1, *noisy.shape[1:2], *noisy.shape[-2:])
    low = row.low.movedim(1, -3).reshape(-1, *row.low.shape[1:2], *row.low.shape[-2:])
    large = F.interpolate(low, frames.shape[-2:], mode="bicubic")
    if name == "upscaler":
        return task.model(torch.cat([frames, large], dim=1), row.timestep, None).sample
    both = torch.cat([noisy, large.unflatten(0, (1, -1)).movedim(1, 2)], dim=1)
    return task.model(both, row.timestep)


@pytest.mark.parametrize("name", [name for name in TRAININGS if name != "prior"])
def test_the_loss_is_that_of_v_example_by_example(place: Place, name: str) -> None:
    """Of ↑F over the frames that are not known alone. Layers over time are moved first: at zero they would hide what
    they are given."""
    task = task_of(name, place)
    moved(task, 2)
    for step in range(3):
        batch, errors = task.source.batch(step), []
        for i in range(len(batch.clean)):
            row = type(batch)(*(one[i : i + 1] for one in batch._tensors()))
            noisy, wanted = v_by_hand(task, row.clean, row.noise, row.timestep[0])
            with torch.no_grad():
                error = (predicted(name, task, noisy, row) - wanted).square()
            errors.append(error[:, :, ~row.known[0]].mean().item() if name == "interpolation" else error.mean().item())
        assert losses_of(task, step).total.item() == pytest.approx(np.mean(errors), rel=1e-3)
        assert losses_of(task, step).parts == {}


def test_the_priors_loss_is_that_of_the_clean_embedding(place: Place) -> None:
    task = task_of("prior", place)
    batch, errors = task.source.batch(0), []
    for i in range(len(batch.image)):
        row = slice(i, i + 1)
        noisy, _ = v_by_hand(task, batch.image[row], batch.noise[row], batch.timestep[i])
        with torch.no_grad():
            found = task.model(noisy, batch.timestep[row], batch.text[row], batch.tokens[row])
        errors.append((found - batch.image[row]).square().mean().item())
    assert losses_of(task, 0).total.item() == pytest.approx(np.mean(errors), rel=1e-3)


def test_a_weighted_loss_is_over_what_has_weight_alone(place: Place) -> None:
    """What is wanted of the known frames does not enter: other clean frames and noise there change nothing, if the
    prediction stays. Over everything it is the loss without weights."""
    task = task_of("interpolation", place)
    batch = task.source.batch(0)
    unknown = ~batch.known[:, None, :, None, None]
    constant = torch.randn(batch.clean.shape, generator=torch.Generator().manual_seed(0))

    def loss(clean: torch.Tensor, noise: torch.Tensor, weight: torch.Tensor | None) -> float:
        changed = EmbeddedNoising(clean, noise, batch.timestep, batch.image)
        return pixel_loss(task.scheduler, changed, lambda *_: constant, weight).item()

    before = loss(batch.clean, batch.noise, unknown)
    assert loss(torch.where(unknown, batch.clean, 9.0), torch.where(unknown, batch.noise, 9.0), unknown) == before
    assert loss(torch.where(unknown, 9.0, batch.clean), batch.noise, unknown) != before
    whole = loss(batch.clean, batch.noise, torch.ones_like(unknown))
    assert whole == pytest.approx(loss(batch.clean, batch.noise, None), rel=1e-5)


@pytest.mark.parametrize("name", TRAININGS)
def test_no_other_parameter_has_a_gradient(place: Place, name: str) -> None:
    """Each that asks for one has one in every step, which several processes expect of one another."""
    task = task_of(name, place)
    for step in range(2):
        task.model.zero_grad()
        losses_of(task, step).total.backward()
        for key, parameter in task.model.named_parameters():
            assert (parameter.grad is not None) == parameter.requires_grad, key


@pytest.mark.parametrize(("name", "part"), [("video_decoder", "decoder"), ("video_upscaler", "upscaler")])
def test_layers_over_time_are_trained_on_a_frozen_network_of_images(place: Place, name: str, part: str) -> None:
    task = task_of(name, place)
    trained = {key for key, p in task.model.named_parameters() if p.requires_grad}
    assert trained
    assert all(".spatial." not in key for key in trained)
    moved(task, 2)
    images = load_images(Path(place[part]))[0].state_dict()
    after = {key.replace(".spatial.", "."): value for key, value in task.model.unet.state_dict().items()}
    assert all(torch.equal(after[key], images[key]) for key in images)


def test_all_layers_of_the_video_decoder_may_be_trained(place: Place) -> None:
    task = task_of("video_decoder", place, layers="all")
    check(task)
    assert all(p.requires_grad for p in task.model.parameters())


def test_interpolation_starts_from_the_video_decoder(place: Place) -> None:
    """Before its first step it predicts what that does, whatever frames are known."""
    task, (before, _) = task_of("interpolation", place), load_videos(Path(place["video"]))
    batch = task.source.batch(0)
    told = torch.randn(2, 4, *batch.clean.shape[2:])
    with torch.no_grad():
        wanted = before(batch.noise, batch.timestep, batch.image, batch.fps)
        found = task.model(torch.cat([batch.noise, told], dim=1), batch.timestep, batch.image, batch.fps)
    assert torch.allclose(found, wanted, atol=1e-5)
    assert all(p.requires_grad for p in task.model.parameters())


@pytest.mark.parametrize("name", TRAININGS)
def test_it_is_trained_validated_and_written(place: Place, tmp_path: Path, name: str) -> None:
    """For two steps; the folder is one that the sampler can load."""
    task = task_of(name, place)
    schedule = Schedule(steps=2, learning_rate=1e-3, warmup=1, validate_every=5)
    history = train(task, schedule, tmp_path / "checkpoint.safetensors", "x", silent)
    assert all(np.isfinite(history.rows[-1][key]) for key in ("loss", *MEASURED[name]))
    picture = task.picture()
    assert picture is None if name == "prior" else (picture.ndim == 3 and picture.dtype == np.uint8)
    export_of(name)(task, tmp_path / "out")
    load = {"prior": load_prior, "decoder": load_images, "upscaler": load_images}.get(name, load_videos)
    loaded, scheduler = load(tmp_path / "out")
    assert scheduler.config.prediction_type == ("sample" if name == "prior" else "v_prediction")
    wanted = task.model.state_dict()
    assert all(torch.equal(value.half().cpu(), wanted[key].half()) for key, value in loaded.state_dict().items())
    if name == "video_decoder":
        assert isinstance(loaded, PseudoVideoUNet)
        assert loaded.config.rated


def test_the_prior_predicts_in_the_units_of_its_training(place: Place) -> None:
    """Standardised image embeddings have mean 0 and deviation 1, place by place; they come back when it samples."""
    task = task_of("prior", place, scenes=30)
    image = task.source.data.image.flatten(0, 1)
    assert torch.allclose(image.mean(dim=0), torch.zeros(image.shape[1]), atol=1e-3)
    assert torch.allclose(image.std(dim=0), torch.ones(image.shape[1]), atol=1e-3)


def test_first_is_who_is_nearer_to_its_own_than_to_nineteen_others() -> None:
    """Those of the same content are no candidates, and of others the first 19 alone."""
    names = [Names("red", "circle", "plain", "small", "up") for _ in range(3)]
    names += [Names("blue", "circle", "plain", "small", "up") for _ in range(25)]
    similar = torch.zeros(28)
    similar[0], similar[1], similar[23] = 0.5, 0.9, 0.8
    assert _ranks_first(similar, names, 0)  # the 20th other is nearer, and so is its double
    similar[21] = 0.6
    assert not _ranks_first(similar, names, 0)


@pytest.mark.parametrize(("side", "wanted"), [(8, 32), (16, 32), (32, 32), (64, 64)])
def test_what_is_judged_is_as_large_as_the_toy_world(side: int, wanted: int) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (2, 3, side, side, 3), np.uint8)
    found = as_judged(frames)
    assert found.shape == (2, 3, wanted, wanted, 3)
    times = wanted // side
    assert all(np.array_equal(found[:, :, y::times, x::times], frames) for y in range(times) for x in range(times))


@pytest.mark.parametrize(
    ("name", "part", "message"),
    [
        ("video_decoder", "video", "holds a PseudoVideoUNet, expected a UNet2DConditionModel"),
        ("interpolation", "decoder", "holds a UNet2DConditionModel, expected a PseudoVideoUNet"),
        ("video_upscaler", "prior", "has no unet/"),
    ],
)
def test_a_checkpoint_of_another_kind_is_named(place: Place, name: str, part: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as said:
        task_of(name, place, checkpoint=place[part])
    assert place[part] in str(said.value)
