"""Batches of unlabelled videos: clean and noisy pixels, image embeddings, frame rates, and which frames are known."""

from dataclasses import dataclass

import torch

from pipeline.make_a_video.pyramid import scaled
from pipeline.training.denoising import Timesteps
from pipeline.training.embedded import EmbeddedNoising, dropped
from pipeline.training.pictures import Pictures
from pipeline.training.task import WHOLE, Share, step_generator


@dataclass(frozen=True)
class RatedNoising(EmbeddedNoising):
    """clean and noise (B, 3, F, h, w); fps (B,), frames a second."""

    fps: torch.Tensor


@dataclass(frozen=True)
class SkippingSource:
    """Draws `size` clips, how many frames each skips, its first frame, which embeddings are dropped, timesteps and
    noise, in this order. The embedding is that of the frame nearest to the middle."""

    data: Pictures
    seed: int
    size: int
    frames: int
    skips: tuple[int, ...]
    drop: float
    timesteps: Timesteps

    def batch(self, step: int, share: Share = WHOLE) -> RatedNoising:
        generator, data = step_generator(self.seed, step), self.data
        rows = torch.randint(len(data.pixels), (self.size,), generator=generator)
        skip = torch.tensor(self.skips)[torch.randint(len(self.skips), (self.size,), generator=generator)]
        length = (self.frames - 1) * skip
        first = (torch.rand(self.size, generator=generator) * (data.pixels.shape[1] - length)).long()
        chosen = first[:, None] + skip[:, None] * torch.arange(self.frames)
        clean = scaled(data.pixels[rows[:, None], chosen]).movedim(2, 1)
        image = dropped(data.image[rows, data.nearest(first + length / 2)], self.drop, generator)
        timestep = self.timesteps(self.size, generator)
        noise = torch.randn(clean.shape, generator=generator)
        return RatedNoising(clean, noise, timestep, image, data.fps[rows] / skip).part(share)


@dataclass(frozen=True)
class MaskedNoising(RatedNoising):
    """known: (B, F) bool, the frames that the network is told; in one batch of all clips the same."""

    known: torch.Tensor


@dataclass(frozen=True)
class MaskedSource:
    """Draws `size` clips, which embeddings are dropped, what is known of all of them, timesteps and noise, in this
    order.

    frames: at most. factors: every so many-th frame is known; extrapolated: the share of batches of which the first or
    the last frames are known instead, one to all but one.
    """

    data: Pictures
    seed: int
    size: int
    frames: int
    factors: tuple[int, ...]
    extrapolated: float
    drop: float
    timesteps: Timesteps

    def batch(self, step: int, share: Share = WHOLE) -> MaskedNoising:
        generator, data = step_generator(self.seed, step), self.data
        rows = torch.randint(len(data.pixels), (self.size,), generator=generator)
        image = dropped(data.image[rows, len(data.image[0]) // 2], self.drop, generator)
        known = self._known(generator)
        clean = scaled(data.pixels[rows, : len(known)]).movedim(2, 1)
        timestep = self.timesteps(self.size, generator)
        noise = torch.randn(clean.shape, generator=generator)
        told = known.expand(self.size, -1)
        return MaskedNoising(clean, noise, timestep, image, data.fps[rows], told).part(share)

    def _known(self, generator: torch.Generator) -> torch.Tensor:
        """(F,): every so many-th frame, from the first to the last; or the first, or the last ones."""
        if torch.rand((), generator=generator) >= self.extrapolated:
            factor = self.factors[int(torch.randint(len(self.factors), (), generator=generator))]
            return torch.arange((self.frames - 1) // factor * factor + 1) % factor == 0
        number, backwards = torch.randint(1, self.frames, (), generator=generator), torch.rand((), generator=generator)
        known = torch.arange(self.frames) < number
        return known.flip(0) if backwards < 0.5 else known
