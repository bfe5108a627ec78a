"""Large frames and the small ones that they are enlarged from: batches, the loss, and what validations compare."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import SchedulerMixin
from torch import nn
from torch.nn import functional as F

from pipeline.config.cascade import Enlarging
from pipeline.make_a_video import upscaling
from pipeline.make_a_video.pyramid import clips_of, psnr, scaled, shrunk
from pipeline.training.denoising import Timesteps, target
from pipeline.training.pictures import Clips
from pipeline.training.pixels import to_frames
from pipeline.training.task import WHOLE, Batch, Share, step_generator
from pipeline.training.validation import QUICK, VALIDATION_SEED, noise_of_seeds
from pipeline.world.scene import draw

EVENLY = 1.0  # of the timesteps: details are decided at every noise
_AT_ONCE = 10  # clips
Enlarge = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


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


def beside_bicubic(
    spec: Enlarging, kept: Clips | None, final: bool, enlarge: Enlarge, alone: int | None = None
) -> tuple[np.ndarray, dict[str, float]]:
    """Enlarged clips (N, T, H, W, 3), uint8, and their PSNR in dB against the true ones, beside bicubic
    interpolation's.

    Args:
        kept: of a folder what is not trained on; None for scenes of the toy world that no training draws.
        enlarge: (small clips (B, 3, T, s, s), noise) -> large ones.
        alone: the first so many frames of each clip, enlarged one by one from one noise; None: whole clips.
    """
    true = _unseen(spec, kept, spec.validation_scenes if final else QUICK)[:, :, :alone]
    low, size = shrunk(true.movedim(2, 1), spec.low).movedim(1, 2), true.shape[-2:]
    noise = noise_of_seeds(len(true), (3, *size) if alone else true.shape[1:])
    made = torch.cat([enlarge(*part) for part in zip(low.split(_AT_ONCE), noise.split(_AT_ONCE), strict=True)])
    bicubic = upscaling.enlarged_videos(low, spec.size)
    return to_frames(made.movedim(2, 1)), {"psnr": psnr(made, true), "bicubic_psnr": psnr(bicubic, true)}


def _unseen(spec: Enlarging, kept: Clips | None, n: int) -> torch.Tensor:
    """(n, 3, T, size, size), in [-1, 1]; of a folder all that was kept."""
    if kept is not None:
        return scaled(kept.pixels).movedim(2, 1)
    _, scenes = draw(n, VALIDATION_SEED)
    return scaled(clips_of(scenes, spec.shading, spec.rendered, spec.size)).movedim(2, 1)
