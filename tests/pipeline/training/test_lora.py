"""The LoRA that swaps the palette."""

from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline

from pipeline.training import lora
from pipeline.training.task import step_generator
from tests.pipeline.training.small import check, losses_of, moved


@pytest.fixture
def task(stable_diffusion_folder: Path) -> lora.LoraTask:
    folder = str(stable_diffusion_folder)
    own = lora.LoraSpec(
        checkpoint=folder, codec=None, encoder="clip", encoder_checkpoint=folder, text_tokens=77, embedding_scale=1.0,
        zeros=False, rank=2, layers=["to_q", "to_v"], batch=2, scenes=4, sampling_steps=2, guidance=2.0,
        validation_prompts=2,
    )  # fmt: skip
    return lora.build_task(asdict(own), 0, "cpu")


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
