"""The LoRA that swaps the palette."""

from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline

from pipeline.training import lora
from pipeline.training.task import step_generator
from tests.pipeline.training.small import check, embed_by, lora_spec, losses_of, moved


@pytest.fixture
def task(stable_diffusion_folder: Path) -> lora.LoraTask:
    embed = embed_by("clip", stable_diffusion_folder, 77)
    return lora.build_task(lora_spec(stable_diffusion_folder), embed, 0, "cpu")


def test_it_is_a_task(task: lora.LoraTask) -> None:
    check(task)
    assert task.picture().shape == (32, 64, 3)


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
