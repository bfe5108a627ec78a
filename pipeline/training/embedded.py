"""Noisy pixels with the image embedding that they are denoised towards, as the decoders of Make-A-Video learn them."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers import SchedulerMixin
from torch.nn import functional as F

from pipeline.make_a_video.pyramid import scaled
from pipeline.training.denoising import target
from pipeline.training.pictures import Pictures
from pipeline.training.task import WHOLE, Batch, Share, step_generator


@dataclass(frozen=True)
class EmbeddedNoising(Batch):
    """clean and noise of one shape (B, 3, …), timestep (B,), image embeddings (B, d), zeros where they are dropped."""

    clean: torch.Tensor
    noise: torch.Tensor
    timestep: torch.Tensor
    image: torch.Tensor


@dataclass(frozen=True)
class FrameSource:
    """Draws `size` clips, a frame of each of which there is an embedding, which embeddings are dropped, timesteps and
    noise, in this order."""

    data: Pictures
    seed: int
    size: int
    drop: float
    timesteps: int

    def batch(self, step: int, share: Share = WHOLE) -> EmbeddedNoising:
        generator, data = step_generator(self.seed, step), self.data
        rows = torch.randint(len(data.pixels), (self.size,), generator=generator)
        chosen = torch.randint(len(data.places), (self.size,), generator=generator)
        clean = scaled(data.pixels[rows, torch.tensor(data.places)[chosen]])
        image = dropped(data.image[rows, chosen], self.drop, generator)
        timestep = torch.randint(self.timesteps, (self.size,), generator=generator)
        noise = torch.randn(clean.shape, generator=generator)
        return EmbeddedNoising(clean, noise, timestep, image).part(share)


def dropped(image: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    """Embeddings (B, d), a share of them zeros."""
    kept = torch.rand(len(image), generator=generator) >= share
    return torch.where(kept[:, None], image, 0)


def pixel_loss(
    scheduler: SchedulerMixin,
    batch: EmbeddedNoising,
    predict: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    weight: torch.Tensor | None = None,
) -> torch.Tensor:
    """L_simple of what is predicted of (noisy (B, …), timestep (B,)), over what has the `weight` 1, if it is given."""
    noisy = scheduler.add_noise(batch.clean, batch.noise, batch.timestep)
    wanted = target(scheduler, batch.clean, batch.noise, batch.timestep)
    predicted = predict(noisy, batch.timestep).float()
    if weight is None:
        return F.mse_loss(predicted, wanted)
    squares = (predicted - wanted).square().mean(dim=1, keepdim=True)
    return (squares * weight).sum() / (weight.expand_as(squares).sum())
