"""What a step of the temporal layers learns from: noisy videos, and the two frames of each that L_DC compares."""

from dataclasses import dataclass

import torch
from diffusers import SchedulerMixin

from pipeline.harivo.noise import NoiseKind, correlate
from pipeline.training.denoising import Noising, NoisingSource, Timesteps
from pipeline.training.task import WHOLE, Share, step_generator


@dataclass(frozen=True)
class MotionBatch(Noising):
    """clean and noise are (B, C, F, h, w); pair (B, 2): two frames of each video; content (B,): a number of what each
    video shows."""

    pair: torch.Tensor
    content: torch.Tensor


@dataclass(frozen=True)
class MotionSource:
    """`videos` with the pairs, and with the noise that is trained with: iid, or PYoCo's mixed noise of weight a."""

    videos: NoisingSource
    noise: NoiseKind
    noise_weight: float

    def batch(self, step: int, share: Share = WHOLE) -> MotionBatch:
        return self.draw(step_generator(self.videos.seed, step)).part(share)

    def draw(self, generator: torch.Generator) -> MotionBatch:
        """A whole batch of what comes next in the generator."""
        rows = self.videos.rows(generator)
        drawn = self.videos.noised(rows, generator)
        clean, noise = drawn.clean, drawn.noise
        pair = torch.stack([torch.randperm(clean.shape[2], generator=generator)[:2] for _ in clean])
        if self.noise == "mixed":
            shared = torch.randn(clean[:, :, :1].shape, generator=generator)
            noise = correlate(noise, shared, self.noise_weight)
        content = self.videos.data.content_of[rows]
        return MotionBatch(clean, noise, drawn.timestep, drawn.text, pair, content)


def channels_first(latents: torch.Tensor, rows: torch.Tensor, _: torch.Generator) -> torch.Tensor:
    """Whole clips as a video UNet takes them: (B, C, F, h, w)."""
    return latents[rows].float().movedim(2, 1)


def spread(scheduler: SchedulerMixin, power: float) -> Timesteps:
    """Timesteps t = T u^power with u spread evenly over a batch from a random start, so that two videos are not noised
    alike; a power below 1 bends them towards high noise, where a video's motion is decided."""
    total = scheduler.config.num_train_timesteps

    def timesteps(size: int, generator: torch.Generator) -> torch.Tensor:
        uniform = (torch.rand(1, generator=generator) + torch.arange(size) / size) % 1
        return (total * uniform**power).long().clamp(max=total - 1)

    return timesteps
