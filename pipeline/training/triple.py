"""Triple-data training: images of one label, videos, and single images as videos of one grid (ETC, Section 4.2, Eq. 6).

Each row of a batch is one of three kinds, told apart by its frame rate: at 0 its frames are different images of one
label, at 120 one image again and again, between them a video at that rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from pipeline.config.train import TripleShares
from pipeline.etc.fps import STILL, UNRELATED
from pipeline.training.denoising import Noising, Timesteps
from pipeline.training.latents import CaptionedLatents, CaptionEncoder
from pipeline.training.task import WHOLE, Share, step_generator

LABEL_IMAGES, VIDEOS, CAPTION_IMAGES = range(3)  # kinds, in the order of their shares


@dataclass(frozen=True)
class GridBatch(Noising):
    """clean and noise are videos (B, C, T, h, w); fps (B,), float32."""

    fps: torch.Tensor


class Labels(NamedTuple):
    """texts: (L, n, d), float16, unscaled embeddings of the labels; of: (N,), the row of each clip's label in them."""

    texts: torch.Tensor
    of: torch.Tensor

    @classmethod
    def embedded(cls, labels: Sequence[str], encoder: CaptionEncoder) -> "Labels":
        """Of N clips' labels."""
        return cls(*encoder.embed(list(labels)))


@dataclass(frozen=True)
class TripleSource:
    """Draws clips, the kind of each row, its frames, which texts are dropped, timesteps and noise, in this order.

    rates: (N,), frames a second of each clip. timesteps: (B, generator) -> (B,). drop: the share of texts that the
    empty prompt replaces.
    """

    data: CaptionedLatents
    rates: torch.Tensor
    labels: Labels
    shares: TripleShares
    seed: int
    size: int
    timesteps: Timesteps
    drop: float

    def batch(self, step: int, share: Share = WHOLE) -> GridBatch:
        return self.draw(step_generator(self.seed, step)).part(share)

    def draw(self, generator: torch.Generator) -> GridBatch:
        """A whole batch of what comes next in the generator."""
        latents = self.data.latents
        rows = torch.randint(len(latents), (self.size,), generator=generator)
        kinds = torch.multinomial(self._shares, self.size, replacement=True, generator=generator)
        clips, frames = self._places(rows, kinds, generator)
        clean = latents[clips, frames].float().movedim(2, 1)
        kept = torch.rand(self.size, generator=generator) >= self.drop
        timestep = self.timesteps(self.size, generator)
        noise = torch.randn(clean.shape, generator=generator)
        return GridBatch(clean, noise, timestep, self._texts(rows, kinds, kept), self._fps(rows, kinds))

    @property
    def _shares(self) -> torch.Tensor:
        """(3,), in the order of the kinds."""
        return torch.tensor([self.shares.label_images, self.shares.videos, self.shares.caption_images]).float()

    def _places(
        self, rows: torch.Tensor, kinds: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """From which clip, and from where in it, each frame of a row is: (B, T) both (Eq. 6).

        An image is the middle frame of its clip: at low rates the object has left most of the others.
        """
        total = self.data.latents.shape[1]
        clips = rows[:, None].repeat(1, total)
        frames = torch.arange(total).repeat(self.size, 1)
        for i, (row, kind) in enumerate(zip(rows.tolist(), kinds.tolist(), strict=True)):
            if kind == LABEL_IMAGES:
                alike = (self.labels.of == self.labels.of[row]).nonzero()[:, 0]
                clips[i] = alike[torch.randint(len(alike), (total,), generator=generator)]
            if kind != VIDEOS:
                frames[i] = total // 2
        return clips, frames

    def _texts(self, rows: torch.Tensor, kinds: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        """Scaled embeddings (B, n, d): of a row's label or its caption, the empty prompt's where it is not kept."""
        encoder = self.data.encoder
        labels = encoder.scaled(self.labels.texts[self.labels.of[rows]])
        texts = torch.where((kinds == LABEL_IMAGES)[:, None, None], labels, self.data.conditions(rows))
        return torch.where(kept[:, None, None], texts, encoder.scaled(encoder.empty))

    def _fps(self, rows: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
        fps = self.rates[rows].float()
        fps[kinds == LABEL_IMAGES] = UNRELATED
        fps[kinds == CAPTION_IMAGES] = STILL
        return fps
