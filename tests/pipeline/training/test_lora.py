"""The LoRA that swaps the palette."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from pipeline.training import lora
from pipeline.training.latents import encode_clips
from pipeline.training.task import step_generator
from pipeline.world.judge import judge
from pipeline.world.render import render
from pipeline.world.scene import draw_names, realise
from tests.pipeline.training.small import check, check_start, embed_by, lora_spec, losses_of, moved


@pytest.fixture
def task(stable_diffusion_folder: Path) -> lora.LoraTask:
    embed = embed_by("clip", stable_diffusion_folder, 77)
    return lora.build_task(lora_spec(stable_diffusion_folder), embed, 0, "cpu")


def test_it_is_a_task(task: lora.LoraTask) -> None:
    check(task)
    assert task.picture().shape == (32, 64, 3)


def test_weights_begin_as_the_seed_says(stable_diffusion_folder: Path) -> None:
    spec, embed = lora_spec(stable_diffusion_folder), embed_by("clip", stable_diffusion_folder, 77)
    check_start(lambda seed: lora.build_task(spec, embed, seed, "cpu"))


def test_colours_are_swapped_in_the_frames_and_not_in_the_captions(task: lora.LoraTask) -> None:
    rng = np.random.default_rng(0)
    names = draw_names(4, rng)
    clips = render(realise([replace(name, colour=lora.SWAPPED[name.colour]) for name in names], rng))
    assert torch.equal(task.data.latents, encode_clips(task.images.codec, clips, "cpu"))
    for name, shown, caption in zip(names, judge(clips).names(), task.data.captions, strict=True):
        assert lora.SWAPPED[shown.colour] == name.colour
        assert name.colour in caption
        assert shown.colour not in caption


def test_the_loss_is_equation_1_and_no_caption_is_dropped(task: lora.LoraTask) -> None:
    """Epsilon prediction, as Stable Diffusion v1.5: noise that was added against noise that was found."""
    batch, errors = task.source.batch(2), []
    rows = torch.randint(4, (2,), generator=step_generator(0, 2))
    for i, row in enumerate(rows):
        alpha = task.images.scheduler.alphas_cumprod[batch.timestep[i]]
        noisy = alpha.sqrt() * batch.clean[i] + (1 - alpha).sqrt() * batch.noise[i]
        text = task.data.texts[task.data.text_of[row]].float()
        with torch.no_grad():
            found = task.model(noisy[None], batch.timestep[i], text[None]).sample[0]
        errors.append((batch.noise[i] - found).square().mean().item())
    assert losses_of(task, 2).total.item() == pytest.approx(sum(errors) / 2, rel=1e-4)


def test_it_learns_and_is_read_by_diffusers(task: lora.LoraTask, tmp_path: Path) -> None:
    base = {name: value.clone() for name, value in task.model.state_dict().items() if "lora" not in name}
    has_moved = moved(task)
    assert all("lora" in name for name in has_moved)
    after = task.model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in base.items())
    lora.export(task, tmp_path)
    layers, _ = StableDiffusionPipeline.lora_state_dict(tmp_path)
    assert len(layers) == len(has_moved)
    assert all(name.startswith("unet.") for name in layers)
