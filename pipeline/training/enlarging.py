"""Batches of large frames and the small ones that they are enlarged from, as super-resolution learns them."""

from dataclasses import dataclass

import torch
from diffusers import SchedulerMixin
from torch import nn
from torch.nn import functional as F

from pipeline.make_a_video import upscaling
from pipeline.make_a_video.pyramid import scaled, shrunk
from pipeline.training.denoising import Timesteps, target
from pipeline.training.task import WHOLE, Batch, Share, step_generator


@dataclass(frozen=True)
class LowNoising(Batch):
    """clean and noise (B, 3, …, S, S), timestep (B,), low (B, 3, …, s, s): the small frames, with a little noise."""

    clean: torch.Tensor
    noise: torch.Tensor
    timestep: torch.Tensor
    low: torch.Tensor


@dataclass(frozen=True)
class LargeSource:
    """Draws `size` clips, of each a frame, or as many in a row as `frames` says, the place of the part that is learnt,
    timesteps, noise, and the noise on the small frames, in this order.

    clips: uint8 (N, T, 3, S, S). crop: side of the part. times: how much larger than the small frames.
    """

    clips: torch.Tensor
    seed: int
    size: int
    frames: int | None
    crop: int
    times: int
    low_noise: float
    timesteps: Timesteps

    def batch(self, step: int, share: Share = WHOLE) -> LowNoising:
        generator, frames = step_generator(self.seed, step), self.frames or 1
        rows = torch.randint(len(self.clips), (self.size,), generator=generator)
        first = torch.randint(self.clips.shape[1] - frames + 1, (self.size,), generator=generator)
        clean = scaled(self.clips[rows[:, None], first[:, None] + torch.arange(frames)])
        clean = self._part(clean, generator)
        timestep = self.timesteps(self.size, generator)
        noise = torch.randn(clean.shape, generator=generator)
        low = shrunk(clean, self.crop // self.times)
        level = self.low_noise * torch.rand(self.size, 1, 1, 1, 1, generator=generator)
        low = low + level * torch.randn(low.shape, generator=generator)
        clean, noise, low = (
            pixels[:, 0] if self.frames is None else pixels.movedim(2, 1) for pixels in (clean, noise, low)
        )
        return LowNoising(clean, noise, timestep, low).part(share)

    def _part(self, clean: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """The same square of all of them, beginning at a whole small pixel."""
        room = (clean.shape[-1] - self.crop) // self.times + 1
        top, left = (self.times * torch.randint(room, (2,), generator=generator)).tolist()
        return clean[..., top : top + self.crop, left : left + self.crop]


def enlarging_loss(scheduler: SchedulerMixin, model: nn.Module, batch: LowNoising) -> torch.Tensor:
    """L_simple of a super-resolution network of images or of videos."""
    noisy = scheduler.add_noise(batch.clean, batch.noise, batch.timestep)
    wanted = target(scheduler, batch.clean, batch.noise, batch.timestep)
    return F.mse_loss(upscaling.predict(model, noisy, batch.timestep, batch.low).float(), wanted)
