"""The training loop: accelerate, EMA, warm-up and cosine, checkpoints from which a killed run continues.

One process, or several that `accelerate launch` starts: each learns from its rows of the same batch, and the first
alone validates, reports and writes. Everything random in a step is drawn from (seed, step), so a run that is killed and
continued takes exactly the steps that an undisturbed run takes. Under DeepSpeed, whose processes each hold a part of
the optimizer's moments, nothing is kept to continue from.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator, PartialState
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType
from diffusers.optimization import get_cosine_schedule_with_warmup
from diffusers.training_utils import EMAModel
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from metrics.progress import Progress
from pipeline.config.train import Schedule
from pipeline.training.checkpoint import History, State, restore, save, trained
from pipeline.training.task import Batch, Losses, Share, Task, mean

_WAIT = timedelta(hours=2)  # of the other processes, while the first validates
_WHOLE = "grad_norm"  # what the curves call the norm of what is not clipped by itself


Reporter = Callable[[int, dict[str, float], np.ndarray | None], None]


def silent(step: int, metrics: dict[str, float], picture: np.ndarray | None) -> None:
    """A reporter that says nothing."""


def processes() -> PartialState:
    """The processes of this run, on the GPUs that there are, else on the CPU; started, if they were not yet."""
    return PartialState(cpu=not torch.cuda.is_available(), timeout=_WAIT)


def train(task: Task[Batch], schedule: Schedule, checkpoint: Path, identity: str, report: Reporter) -> History:
    """Train `task.model` to the end of the schedule and leave its averaged (EMA) weights in it.

    Args:
        checkpoint: file to continue from and to write to; the caller removes it when the result is safe.
        identity: text that names the task and its parameters; a checkpoint of another identity is not continued.
        report: called with (step, metrics, picture or None) while training, e.g. to log to MLflow; of several processes
            in the first alone.

    Returns:
        The curves: `loss` and, of a sum, every `loss_<part>` unweighted, the task's own measures, `grad_norm` before
        clipping, `lr`, and what validations measured, which the first process alone knows. What is clipped by itself
        has a `grad_norm_<name>`; every `gradients_every` steps each part of a sum has one too, unweighted, of the
        weights that are not clipped by themselves (where a batch is taken in parts, the mean of theirs).

    Raises:
        ValueError: if a batch cannot be divided equally among the processes and the parts of each.
    """
    run = _Run(task, schedule)
    first = 0 if run.sharded else restore(checkpoint, identity, run.state)
    learning_rate = _learning_rate(run.state.optimizer, schedule, first)
    run.model.train()
    with Progress(checkpoint.stem, schedule.steps, "steps", done=first) as work:
        for done in range(first + 1, schedule.steps + 1):
            losses, norms = run.step(done - 1)
            learning_rate.step()
            loss = None
            if done % schedule.log_every == 0 or done == schedule.steps:
                row = run.log(done, losses, **norms, lr=learning_rate.get_last_lr()[0])
                loss = f"loss {row['loss']:.4f}"
                run.in_first(report, done, row, None)
            if done % schedule.validate_every == 0 and done < schedule.steps:
                run.in_first(_validate, task, run.state, done, report)
            if (done % schedule.checkpoint_every == 0 or done == schedule.steps) and not run.sharded:
                run.in_first(save, checkpoint, identity, done, run.state)
            work.update(detail=loss)
    run.state.ema.copy_to(run.state.weights)
    run.in_first(_measure, task, run.state.history, schedule.steps, report, True)
    run.accelerator.wait_for_everyone()
    return run.state.history


class _Run:
    """A task's model and its optimizer, prepared, and one step of them."""

    def __init__(self, task: Task[Batch], schedule: Schedule) -> None:
        processes()
        AcceleratorState._reset_state()  # of a training before in this process: its precision may have been another
        self.accelerator = Accelerator(
            mixed_precision=schedule.precision,
            gradient_accumulation_steps=schedule.accumulate,
            cpu=not torch.cuda.is_available(),
        )
        self.task, self.schedule = task, schedule
        self.share = Share(self.accelerator.process_index, self.accelerator.num_processes)
        self.parts = [Share(i, schedule.accumulate) for i in range(schedule.accumulate)]
        self.weights = trained(task.model)
        self.clipped = _clipped(task)
        optimizer = torch.optim.AdamW(
            self.weights, lr=schedule.learning_rate, weight_decay=schedule.weight_decay, betas=(0.9, 0.99)
        )
        self.model, optimizer = self.accelerator.prepare(task.model, optimizer)
        ema = EMAModel(self.weights, decay=schedule.ema, use_ema_warmup=True, power=0.75)
        self.state = State(task.model, optimizer, ema)

    def step(self, step: int) -> tuple[Losses, dict[str, float]]:
        """Move the weights once; returns this process's losses and, before clipping, the norm of the whole gradient of
        each group that is clipped."""
        batch = self.task.source.batch(step, self.share)
        losses = mean([self._backward(batch.part(part), self._is_measured(step + 1)) for part in self.parts])
        clip, limit = self.accelerator.clip_grad_norm_, self.schedule.clip
        norms = {name: clip(weights, limit) for name, weights in self.clipped.items()}
        self.state.optimizer.step()
        self.state.optimizer.zero_grad(set_to_none=True)
        self.state.ema.step(self.weights)
        return losses, {name: float(norm) for name, norm in norms.items()}

    def _is_measured(self, done: int) -> bool:
        """Whether the gradient of each loss is measured in this step."""
        every = self.schedule.gradients_every
        return every > 0 and done % every == 0 and not self.sharded

    def _backward(self, batch: Batch, measured: bool) -> Losses:
        """Add the gradients of a part of a batch to those that are there; of several parts they become the mean, and
        processes meet at the last one."""
        with self.accelerator.accumulate(self.model):
            with self.accelerator.autocast():
                losses = self.task.loss(self.model, batch.to(self.accelerator.device))
            if measured and len(losses.parts) > 1:
                norms = {f"grad_norm_{name}": self._gradient(loss) for name, loss in losses.parts.items()}
                losses = replace(losses, measures=losses.measures | norms)
            self.accelerator.backward(losses.total)
        return losses.detached()

    def _gradient(self, loss: torch.Tensor) -> torch.Tensor:
        """The norm of a loss's own gradient over the rows of all processes; it is not added to those that are there."""
        if not loss.requires_grad:
            return torch.zeros((), device=loss.device)
        own = torch.autograd.grad(loss, self.clipped[_WHOLE], retain_graph=True, allow_unused=True)
        return nn.utils.get_total_norm([self.accelerator.reduce(one, "mean") for one in own if one is not None])

    @property
    def sharded(self) -> bool:
        """Whether each process has a part of the optimizer's moments alone."""
        return self.accelerator.distributed_type == DistributedType.DEEPSPEED

    def log(self, step: int, losses: Losses, **others: float) -> dict[str, float]:
        """The history's row of a step: every loss and measure as the mean over processes, and others."""
        named = {"loss": losses.total} | {f"loss_{name}": value for name, value in losses.parts.items()}
        named |= losses.measures
        means = self.accelerator.reduce(torch.stack([value.detach().float() for value in named.values()]), "mean")
        self.state.history.add(step, **dict(zip(named, means.tolist(), strict=True)), **others)
        return self.state.history.rows[-1]

    def in_first(self, act: Callable[..., object], *arguments: object) -> None:
        """Call in the first process alone."""
        if self.accelerator.is_main_process:
            act(*arguments)


def _clipped(task: Task[Batch]) -> dict[str, list[nn.Parameter]]:
    """The trained weights, in their order, in groups whose gradients are clipped together."""
    apart = {f"{_WHOLE}_{name}": trained(part) for name, part in getattr(task, "apart", {}).items()}
    taken = {id(weight) for weights in apart.values() for weight in weights}
    return {_WHOLE: [weight for weight in trained(task.model) if id(weight) not in taken]} | apart


def _learning_rate(optimizer: Optimizer, schedule: Schedule, first: int) -> LambdaLR:
    """Warm-up and cosine, from the step where the run begins."""
    for group in optimizer.param_groups:
        group["initial_lr"] = schedule.learning_rate
    return get_cosine_schedule_with_warmup(optimizer, schedule.warmup, schedule.steps, last_epoch=first - 1)


def _validate(task: Task[Batch], state: State, step: int, report: Reporter) -> None:
    """Measure the averaged weights, then put the training weights back."""
    state.ema.store(state.weights)
    state.ema.copy_to(state.weights)
    _measure(task, state.history, step, report, final=False)
    state.ema.restore(state.weights)


def _measure(task: Task[Batch], history: History, step: int, report: Reporter, final: bool) -> None:
    """Validate the model as it is."""
    model: nn.Module = task.model
    model.eval()
    with torch.no_grad():
        metrics = task.validate(final=final)
        history.add(step, **metrics)
        report(step, metrics, task.picture())
    model.train()
