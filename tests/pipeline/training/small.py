"""Trainings made small, and what holds for all of them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from pipeline.config.embed import Embed, EmbeddedSet, Encoder, Text
from pipeline.config.specs import (
    AutoencoderSpec,
    ClipSpec,
    CodecSpec,
    EtcSpec,
    ImageSpec,
    LoraSpec,
    MotionSpec,
    VideoSpec,
    VideoUNetSpec,
)
from pipeline.training.task import Batch, Losses, Task

TEXT = Text(encoder="text", set="captions")
_SAMPLED: dict[str, Any] = {"text": TEXT, "sampling_steps": 2, "guidance": 2.0, "shading": 0.35}

CODEC = CodecSpec(
    latent_channels=5,
    width=16,
    layers=1,
    colour_noise=0.1,
    structure_noise=0.3,
    free=0.04,
    size=2e-3,
    batch=4,
    scenes=4,
    validation_scenes=2,
)
AUTOENCODER = AutoencoderSpec(
    block_out_channels=[16, 16, 16],
    layers_per_block=1,
    latent_channels=4,
    kl=0.01,
    grid=False,
    starts_from=None,
    batch=4,
    scenes=4,
    validation_scenes=3,
    shading=0.35,
)
CLIP = ClipSpec(
    hidden_size=16, layers=1, heads=2, projection_dim=8, batch=24, scenes=48, candidates=4, validation_scenes=24
)
VIDEO = VideoSpec(
    layers=1,
    heads=1,
    head_dim=16,
    time_dim=8,
    patch_frames=2,
    drop=0.5,
    batch=4,
    scenes=6,
    validation_prompts=4,
    **_SAMPLED,
)
VIDEO_UNET = VideoUNetSpec(
    channels=[32, 32], heads=2, drop=0.5, timestep_power=0.5, batch=2, scenes=6, validation_prompts=3, **_SAMPLED
)
IMAGE = ImageSpec(channels=[32, 32], heads=2, drop=0.5, batch=4, scenes=6, validation_prompts=9, **_SAMPLED)


def embed_by(kind: str, checkpoint: Path, length: int, zero_padding: bool = False, scale: float = 1.0) -> Embed:
    """The section with the encoder and the set that these specifications name."""
    embedded = EmbeddedSet(length=length, zero_padding=zero_padding, scale=scale)
    return Embed(encoders={"text": Encoder(kind=kind, checkpoint=str(checkpoint), sets={"captions": embedded})})


def lora_spec(checkpoint: Path) -> LoraSpec:
    """On a Stable Diffusion folder."""
    own = {"checkpoint": str(checkpoint), "codec": None, "rank": 2, "layers": ["to_q", "to_v"]}
    return LoraSpec(batch=2, scenes=4, validation_prompts=2, **own, **_SAMPLED)


def motion_spec(checkpoint: Path) -> MotionSpec:
    """The paper's kind of checkpoint, every part of HARIVO on; 16 frames of the toy world."""
    losses = {
        "lambda_trs": 0.1,
        "lambda_reg": 0.1,
        "lambda_dc": 0.1,
        "queue": 8,
        "other_content": True,
        "limit_dc": True,
    }
    return MotionSpec(
        checkpoint=str(checkpoint),
        codec=None,
        heads=2,
        mapping=True,
        tokens=3,
        noise="iid",
        noise_weight=1.0,
        drop=0.3,
        timestep_power=0.5,
        batch=2,
        scenes=6,
        used=4,
        validation_prompts=3,
        **losses,
        **_SAMPLED,
    )


def etc_spec(checkpoint: Path, **own: Any) -> EtcSpec:
    """A grid with the mixed embedding and all three kinds of data, on a Stable Diffusion folder."""
    values = {
        "checkpoint": str(checkpoint),
        "codec": None,
        "frames": "grid",
        "heads": 2,
        "mixed": True,
        "shares": {"label_images": 1, "videos": 2, "caption_images": 1},
        "drop": 0.3,
        "timestep_power": 0.5,
        "batch": 4,
        "scenes": 12,
        "used": 8,
        "validation_prompts": 3,
    }
    return EtcSpec(**(values | own), **_SAMPLED)


class WordTower:
    """Stands in for MiniLM where a test runs without weights: random features that the text decides."""

    def pooled(self, texts: list[str]) -> torch.Tensor:
        return torch.stack([torch.randn(384, generator=torch.Generator().manual_seed(len(set(t)))) for t in texts])


def losses_of(task: Task[Batch], step: int) -> Losses:
    """Losses of the whole batch of a step, by the model as it is."""
    return task.loss(task.model, task.source.batch(step))


def moved(task: Task[Batch], steps: int = 3) -> dict[str, bool]:
    """Whether each trained parameter learns in a few steps: layers behind a zero one do from the second on.

    It does if it is elsewhere afterwards, and if its largest gradient stood out from rounding errors: those of a
    parameter without influence are below 2e-7 of the largest gradient of all, others above 1e-6.
    """
    own = {name: p for name, p in task.model.named_parameters() if p.requires_grad}
    before = {name: parameter.detach().clone() for name, parameter in own.items()}
    largest = dict.fromkeys(own, 0.0)
    optimizer = torch.optim.AdamW(own.values(), 1e-2, weight_decay=0)
    for step in range(steps):
        losses_of(task, step).total.backward()
        for name, parameter in own.items():
            if parameter.grad is not None:
                largest[name] = max(largest[name], parameter.grad.abs().max().item())
        optimizer.step()
        optimizer.zero_grad()
    least = 5e-7 * max(largest.values())
    return {name: largest[name] > least and not torch.equal(own[name], before[name]) for name in own}


def check(task: Task[Batch], without_influence: Sequence[str] = ()) -> None:
    """What every task promises: a loss that the step alone decides and that reaches every weight, finite metrics.

    Args:
        without_influence: parameters on which no output depends, whatever the task.
    """
    first, again, other = (losses_of(task, step).total.item() for step in (0, 0, 1))
    assert np.isfinite(first)
    assert first == again
    assert first != other
    has_moved = moved(task)
    assert has_moved
    assert [name for name in has_moved if not has_moved[name]] == list(without_influence)
    with torch.no_grad():
        assert all(np.isfinite(value) for value in task.validate(final=True).values())
    picture = task.picture()
    assert picture is None or (picture.dtype == np.uint8 and picture.ndim == 3)


def check_start(build: Callable[[int], Task[Batch]]) -> None:
    """The weights before the first step depend on the seed alone."""
    starts = []
    for random_before, seed in ((1, 0), (2, 0), (1, 1)):
        torch.manual_seed(random_before)
        trained = [p.detach().flatten() for p in build(seed).model.parameters() if p.requires_grad]
        starts.append(torch.cat(trained))
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[0], starts[2])


def by_hand(task: Any, scheduler: Any, predict: nn.Module | Any) -> float:
    """L_simple of the batch of step 0, example by example: v = √ᾱ ε - √(1-ᾱ) x of √ᾱ x + √(1-ᾱ) ε."""
    batch, errors = task.source.batch(0), []
    for clean, noise, timestep, text in zip(batch.clean, batch.noise, batch.timestep, batch.text, strict=True):
        alpha = scheduler.alphas_cumprod[timestep].float()
        noisy = alpha.sqrt() * clean + (1 - alpha).sqrt() * noise
        wanted = alpha.sqrt() * noise - (1 - alpha).sqrt() * clean
        with torch.no_grad():
            errors.append((predict(noisy[None], timestep[None], text[None])[0] - wanted).square().mean().item())
    return float(np.mean(errors))
