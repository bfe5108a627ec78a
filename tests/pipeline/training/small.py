"""Trainings made small, and what holds for all of them."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from pipeline.training import clip, codec, cogvideox, t2i
from pipeline.training.motion import MotionSpec
from pipeline.training.task import Batch, Losses, Task

CODEC = codec.CodecSpec([8, 8, 8], 4, 1e-3, batch=4, scenes=4, validation_scenes=2)
CLIP = clip.ClipSpec(16, 1, 2, 8, batch=24, scenes=48, candidates=4, validation_scenes=24)
VIDEO = cogvideox.VideoSpec(
    layers=1, heads=1, head_dim=16, time_dim=8, patch_frames=2, text_tokens=20, embedding_scale=4.0, drop=0.5,
    batch=4, scenes=6, sampling_steps=2, guidance=2.0, validation_prompts=4,
)  # fmt: skip
IMAGE = t2i.ImageSpec(
    channels=[16, 16], heads=2, text_tokens=20, embedding_scale=4.0, drop=0.5, batch=4, scenes=6, sampling_steps=2,
    guidance=2.0, validation_prompts=9,
)  # fmt: skip


def motion_spec(checkpoint: Path) -> MotionSpec:
    """The paper's kind of checkpoint, every part of HARIVO on; 16 frames of the world."""
    return MotionSpec(
        checkpoint=str(checkpoint), codec=None, encoder="clip", encoder_checkpoint=str(checkpoint), text_tokens=77,
        embedding_scale=1.0, zeros=False, heads=2, mapping=True, tokens=3, noise="iid", noise_weight=1.0,
        lambda_trs=0.1, lambda_reg=0.1, lambda_dc=0.1, queue=8, drop=0.3, timestep_power=0.5, batch=2, scenes=6, used=4,
        sampling_steps=2, guidance=2.0, validation_prompts=3,
    )  # fmt: skip


class WordTower:
    """Stands in for MiniLM where a test runs without weights: random features that the text decides."""

    def pooled(self, texts: list[str]) -> torch.Tensor:
        return torch.stack([torch.randn(384, generator=torch.Generator().manual_seed(len(set(t)))) for t in texts])


def losses_of(task: Task[Batch], step: int) -> Losses:
    """Losses of the whole batch of a step, by the model as it is."""
    return task.loss(task.model, task.source.batch(step))


def moved(task: Task[Batch], steps: int = 3) -> dict[str, bool]:
    """Whether each trained parameter is elsewhere after a few steps: layers behind a zero one move from the second on.

    AdamW without decay leaves a weight of zero gradient where it is.
    """
    own = {name: p for name, p in task.model.named_parameters() if p.requires_grad}
    before = {name: parameter.detach().clone() for name, parameter in own.items()}
    optimizer = torch.optim.AdamW(own.values(), 1e-2, weight_decay=0)
    for step in range(steps):
        losses_of(task, step).total.backward()
        optimizer.step()
        optimizer.zero_grad()
    return {name: not torch.equal(parameter, before[name]) for name, parameter in own.items()}


def check(task: Task[Batch]) -> None:
    """What every task promises: a loss that the step alone decides and that reaches every weight, finite metrics."""
    first, again, other = (losses_of(task, step).total.item() for step in (0, 0, 1))
    assert np.isfinite(first)
    assert first == again
    assert first != other
    has_moved = moved(task)
    assert has_moved
    assert [name for name in has_moved if not has_moved[name]] == []
    with torch.no_grad():
        assert all(np.isfinite(value) for value in task.validate(final=True).values())
    picture = task.picture()
    assert picture is None or (picture.dtype == np.uint8 and picture.ndim == 3)


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
