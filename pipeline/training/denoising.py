"""What all denoisers of captioned latents share: how batches are drawn, and L_simple."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers import SchedulerMixin
from torch.nn import functional as F

from pipeline.training.latents import CaptionedLatents
from pipeline.training.task import WHOLE, Batch, Share, step_generator

Take = Callable[[torch.Tensor, torch.Tensor, torch.Generator], torch.Tensor]
Timesteps = Callable[[int, torch.Generator], torch.Tensor]


@dataclass(frozen=True)
class Noising(Batch):
    """clean and noise of one shape (B, …), timestep (B,), text (B, n, d)."""

    clean: torch.Tensor
    noise: torch.Tensor
    timestep: torch.Tensor
    text: torch.Tensor


@dataclass(frozen=True)
class NoisingSource:
    """Draws `size` clips, what is learnt of each, which captions are dropped, timesteps and noise, in this order.

    take: (latents (N, T, C, h, w), rows (B,), generator) -> clean (B, …). timesteps: (B, generator) -> (B,). drop: the
    share of captions that the empty prompt replaces; None draws nothing and keeps all.
    """

    data: CaptionedLatents
    seed: int
    size: int
    take: Take
    timesteps: Timesteps
    drop: float | None = None

    def batch(self, step: int, share: Share = WHOLE) -> Noising:
        return self.draw(step_generator(self.seed, step)).part(share)

    def draw(self, generator: torch.Generator) -> Noising:
        """A whole batch of what comes next in the generator."""
        return self.noised(self.rows(generator), generator)

    def rows(self, generator: torch.Generator) -> torch.Tensor:
        """Which clips the batch is of: (B,)."""
        return torch.randint(len(self.data.latents), (self.size,), generator=generator)

    def noised(self, rows: torch.Tensor, generator: torch.Generator) -> Noising:
        """The batch of these clips; what comes next in the generator after them."""
        clean = self.take(self.data.latents, rows, generator)
        kept = None if self.drop is None else torch.rand(self.size, generator=generator) >= self.drop
        timestep = self.timesteps(self.size, generator)
        noise = torch.randn(clean.shape, generator=generator)
        return Noising(clean, noise, timestep, self.data.conditions(rows, kept))


def whole_clips(latents: torch.Tensor, rows: torch.Tensor, _: torch.Generator) -> torch.Tensor:
    """All frames of the clips: (B, T, C, h, w)."""
    return latents[rows].float()


def single_frames(latents: torch.Tensor, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """One frame of each clip: (B, C, h, w)."""
    frames = torch.randint(latents.shape[1], rows.shape, generator=generator)
    return latents[rows, frames].float()


def uniform(scheduler: SchedulerMixin) -> Timesteps:
    """Every timestep of the schedule equally often."""
    total = scheduler.config.num_train_timesteps
    return lambda size, generator: torch.randint(total, (size,), generator=generator)


def target(scheduler: SchedulerMixin, clean: torch.Tensor, noise: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
    """What a model of this schedule's parametrisation must predict, of the latents' shape.

    Raises:
        ValueError: if it is neither epsilon nor v_prediction.
    """
    kind = scheduler.config.prediction_type
    if kind not in ("epsilon", "v_prediction"):
        raise ValueError(f"prediction_type is {kind!r}, expected epsilon or v_prediction")
    return noise if kind == "epsilon" else scheduler.get_velocity(clean, noise, timestep)


def denoising_loss(
    scheduler: SchedulerMixin,
    batch: Noising,
    predict: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """L_simple, the mean squared error of what is predicted of (noisy (B, …), timestep (B,), text (B, n, d))."""
    noisy = scheduler.add_noise(batch.clean, batch.noise, batch.timestep)
    wanted = target(scheduler, batch.clean, batch.noise, batch.timestep)
    return F.mse_loss(predict(noisy, batch.timestep, batch.text).float(), wanted)
