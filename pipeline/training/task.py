"""What the loop asks of a training: batches that depend on the step alone, losses, validation.

Everything random of a step is drawn from (seed, step) for the whole batch, and each process of a run takes its rows of
it. So the batch does not depend on the number of processes, and a killed run that is continued repeats its steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Protocol, Self, TypeVar

import numpy as np
import torch
from torch import distributed, nn
from torch.distributed.nn.functional import all_gather


@dataclass(frozen=True)
class Share:
    """Which part of a batch is taken, by a process or of its rows at once: the `rank`-th of `of` equal ones."""

    rank: int = 0
    of: int = 1

    def rows(self, total: int) -> slice:
        """The rows of a batch of `total`.

        Raises:
            ValueError: if it cannot be divided equally: the mean over processes would not be that over the batch.
        """
        if total % self.of:
            raise ValueError(f"a batch of {total} cannot be divided equally among {self.of} processes or parts")
        size = total // self.of
        return slice(self.rank * size, (self.rank + 1) * size)


WHOLE = Share()


@dataclass(frozen=True)
class Batch:
    """What one step learns from: fields are tensors (B, …) of equally many rows, one for each example."""

    def part(self, share: Share) -> Self:
        """The rows of one process."""
        return type(self)(*(x[share.rows(len(x))] for x in self._tensors()))

    def to(self, device: torch.device | str) -> Self:
        """The same on another device."""
        return type(self)(*(x.to(device) for x in self._tensors()))

    def _tensors(self) -> list[torch.Tensor]:
        return [getattr(self, one.name) for one in fields(self)]


@dataclass(frozen=True)
class Losses:
    """`total` is minimised. `parts`: the losses that it is a sum of, by name and unweighted, for the curves; of a total
    that is no sum there are none. `measures`: what else the curves are to show of a batch; nothing learns from it."""

    total: torch.Tensor
    parts: dict[str, torch.Tensor] = field(default_factory=dict)
    measures: dict[str, torch.Tensor] = field(default_factory=dict)

    def detached(self) -> "Losses":
        """The same values without what they were computed from."""
        return Losses(self.total.detach(), _detached(self.parts), _detached(self.measures))


def _detached(values: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.detach() for name, value in values.items()}


def mean(losses: Sequence[Losses]) -> Losses:
    """Of equally large parts of a batch."""
    parts = {name: torch.stack([one.parts[name] for one in losses]).mean() for name in losses[0].parts}
    measures = {name: torch.stack([one.measures[name] for one in losses]).mean() for name in losses[0].measures}
    return Losses(torch.stack([one.total for one in losses]).mean(), parts, measures)


Drawn_co = TypeVar("Drawn_co", bound=Batch, covariant=True)
Drawn = TypeVar("Drawn", bound=Batch)


class Source(Protocol[Drawn_co]):
    """Where batches come from."""

    def batch(self, step: int, share: Share = WHOLE) -> Drawn_co:
        """A process's rows of the batch of a step, on the CPU; all that is random comes from `step_generator`."""
        ...


class Task(Protocol[Drawn]):
    """What one model learns. The parameters of `model` that ask for gradients are trained, and each of them must have
    one in every step: that is what several processes expect of one another.

    `apart`, if there is one: parts of `model` by name whose gradients are clipped by themselves, so that a jolt in one
    does not shrink the steps of the rest.
    """

    model: nn.Module
    source: Source[Drawn]

    def loss(self, model: nn.Module, batch: Drawn) -> Losses:
        """Losses of a batch, means over its rows, so that means over processes are those of the whole batch; where rows
        meet one another, they are `gathered` before.

        Args:
            model: `self.model` as accelerate prepared it; to be called, its attributes may be hidden.
        """
        ...

    def validate(self, final: bool) -> dict[str, float]:
        """Metrics of `self.model` on unseen data, by the first process alone; `final` asks for the full-size ones."""
        ...

    def picture(self) -> np.ndarray | None:
        """A uint8 (H, W, 3) picture of validation samples, or None."""
        ...


def step_generator(seed: int, step: int) -> torch.Generator:
    """The generator of everything random in one training step."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def gathered(rows: torch.Tensor) -> torch.Tensor:
    """The rows of all processes in the order of the whole batch; gradients flow back to the process of each.

    All processes must call it equally often: in a loss, not in a validation.
    """
    if not distributed.is_initialized() or distributed.get_world_size() == 1:
        return rows
    return torch.cat(all_gather(rows.contiguous()))
