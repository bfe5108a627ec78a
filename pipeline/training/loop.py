"""The training loop: accelerate, EMA, warm-up and cosine, checkpoints from which a killed run continues.

Everything random in a step is drawn from (seed, step), so a run that is killed and continued takes exactly the
steps that an undisturbed run takes. A checkpoint is one safetensors file, written aside and renamed: no pickle, and
never half a file under the final name.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from accelerate import Accelerator
from diffusers.optimization import get_cosine_schedule_with_warmup
from diffusers.training_utils import EMAModel
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from tqdm import tqdm


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train. `ema` is the decay of the averaged weights; `clip` the gradient norm limit."""

    steps: int
    learning_rate: float
    warmup: int = 50
    weight_decay: float = 0.01
    ema: float = 0.995
    clip: float = 1.0
    seed: int = 0
    precision: str = "no"  # accelerate's mixed_precision: "no" or "bf16"
    checkpoint_every: int = 200
    validate_every: int = 500


class Task(Protocol):
    """What one model learns."""

    model: nn.Module

    def loss(self, step: int) -> torch.Tensor:
        """Scalar loss of the batch of this step; draws everything random from the step."""
        ...

    def validate(self, final: bool) -> dict[str, float]:
        """Metrics of the current weights on unseen data; `final` asks for the full-size evaluation."""
        ...

    def picture(self) -> np.ndarray | None:
        """A uint8 (H, W, 3) picture of validation samples, or None."""
        ...


@dataclass
class History:
    """The curves of a run, one row per logged step."""

    rows: list[dict[str, float]] = field(default_factory=list)

    def add(self, step: int, **values: float) -> None:
        if self.rows and self.rows[-1]["step"] == step:
            self.rows[-1].update(values)
        else:
            self.rows.append({"step": step, **values})


Reporter = Callable[[int, dict[str, float], np.ndarray | None], None]


def step_generator(seed: int, step: int) -> torch.Generator:
    """The generator of everything random in one training step."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def train(task: Task, schedule: Schedule, checkpoint: Path, identity: str, report: Reporter) -> History:
    """Train `task.model` to the end of the schedule and leave its averaged (EMA) weights in it.

    Args:
        checkpoint: file to continue from and to write to; the caller removes it when the result is safe.
        identity: text that names the task and its parameters; a checkpoint of another identity is not continued.
        report: called with (step, metrics, picture or None) while training, e.g. to log to MLflow.
    """
    accelerator = Accelerator(mixed_precision=schedule.precision, cpu=not torch.cuda.is_available())
    optimizer = torch.optim.AdamW(
        task.model.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay, betas=(0.9, 0.99)
    )
    model, optimizer = accelerator.prepare(task.model, optimizer)
    ema = EMAModel(model.parameters(), decay=schedule.ema, use_ema_warmup=True, power=0.75)
    history = History()
    first = _restore(checkpoint, identity, model, optimizer, ema, history)
    for group in optimizer.param_groups:
        group["initial_lr"] = schedule.learning_rate
    lr_schedule = get_cosine_schedule_with_warmup(optimizer, schedule.warmup, schedule.steps, last_epoch=first - 1)

    model.train()
    bar = tqdm(range(first, schedule.steps), initial=first, total=schedule.steps, disable=None, desc=checkpoint.stem)
    for step in bar:
        with accelerator.autocast():
            loss = task.loss(step)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(model.parameters(), schedule.clip)
        optimizer.step()
        lr_schedule.step()
        optimizer.zero_grad(set_to_none=True)
        ema.step(model.parameters())
        done = step + 1
        if done % 20 == 0 or done == schedule.steps:
            loss = loss.detach()
            history.add(done, loss=float(loss), lr=lr_schedule.get_last_lr()[0])
            bar.set_postfix(loss=f"{float(loss):.4f}")
            report(done, history.rows[-1], None)
        if done % schedule.validate_every == 0 and done < schedule.steps:
            _validate(task, model, ema, history, done, report)
        if done % schedule.checkpoint_every == 0 or done == schedule.steps:
            _save(checkpoint, identity, done, model, optimizer, ema, history)
    ema.copy_to(model.parameters())
    _validate(task, model, None, history, schedule.steps, report)
    return history


def _validate(
    task: Task, model: nn.Module, ema: EMAModel | None, history: History, step: int, report: Reporter
) -> None:
    """Validate the averaged weights, then put the training weights back (`ema` is None at the end: they stay)."""
    if ema is not None:
        ema.store(model.parameters())
        ema.copy_to(model.parameters())
    model.eval()
    with torch.no_grad():
        metrics = task.validate(final=ema is None)
        history.add(step, **metrics)
        report(step, metrics, task.picture())
    model.train()
    if ema is not None:
        ema.restore(model.parameters())


def _state(model: nn.Module, optimizer: torch.optim.Optimizer, ema: EMAModel) -> dict[str, torch.Tensor]:
    """Views of everything that a step changes, by name."""
    state: dict[str, torch.Tensor] = {}
    for (name, parameter), shadow in zip(model.named_parameters(), ema.shadow_params, strict=True):
        state[f"model.{name}"] = parameter.data
        state[f"ema.{name}"] = shadow
        for key, value in optimizer.state[parameter].items():
            state[f"{key}.{name}"] = value
    return state | {f"buffer.{name}": buffer for name, buffer in model.named_buffers()}


def _save(
    path: Path, identity: str, step: int, model: nn.Module, optimizer: Any, ema: EMAModel, history: History
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".tmp")
    metadata = {"identity": identity, "step": str(step), "history": json.dumps(history.rows)}
    tensors = {name: value.detach().contiguous() for name, value in _state(model, optimizer, ema).items()}
    save_file(tensors, aside, metadata)
    aside.replace(path)


def _restore(path: Path, identity: str, model: nn.Module, optimizer: Any, ema: EMAModel, history: History) -> int:
    """Load a checkpoint of the same identity, if there is one; returns the number of steps already taken."""
    if not path.is_file():
        return 0
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
        if metadata["identity"] != identity:
            return 0
        for parameter in model.parameters():
            optimizer.state[parameter] = {
                "step": torch.zeros(()),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
        for name, value in _state(model, optimizer, ema).items():
            value.copy_(file.get_tensor(name))
    ema.optimization_step = int(metadata["step"])
    history.rows[:] = json.loads(metadata["history"])
    return int(metadata["step"])
