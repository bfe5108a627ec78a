"""Triple-data training: images of one label, videos, and single images as videos of one grid (ETC, Section 4.2, Eq. 6).

Each row of a batch is one of three kinds, told apart by its frame rate: at 0 its frames are different images of one
label, at 120 one image again and again, between them a video at that rate. In the toy world, whose images are frames of
its videos, the source draws what it drew before there were images of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from pipeline.config.specs import TripleShares
from pipeline.etc.fps import STILL, UNRELATED
from pipeline.training.denoising import Noising, Timesteps
from pipeline.training.latents import CaptionedLatents, CaptionEncoder
from pipeline.training.task import WHOLE, Share, step_generator

LABEL_IMAGES, VIDEOS, CAPTION_IMAGES = range(3)  # kinds, in the order of their shares


@dataclass(frozen=True)
class GridBatch(Noising):
    """clean and noise are videos (B, C, T, h, w); fps (B,), float32."""

    fps: torch.Tensor


class Stills(NamedTuple):
    """Images of captions or labels. latents: (M, C, h, w), float16; texts: (D, n, d), float16, unscaled embeddings of
    the distinct captions or labels; of: (M,), the row of each image's in them."""

    latents: torch.Tensor
    texts: torch.Tensor
    of: torch.Tensor

    @classmethod
    def embedded(cls, latents: torch.Tensor, texts: Sequence[str], encoder: CaptionEncoder) -> "Stills":
        """Of M images with a caption or label each."""
        return cls(latents, *encoder.embed(list(texts)))

    @classmethod
    def middles(cls, clips: CaptionedLatents, labels: Sequence[str] | None = None) -> "Stills":
        """The middle frames of N clips with a label each, by default with the clips' captions: at low rates an object
        has left most of the other frames."""
        latents = clips.latents[:, clips.latents.shape[1] // 2]
        return (
            cls(latents, clips.texts, clips.text_of) if labels is None else cls.embedded(latents, labels, clips.encoder)
        )

    def alike(self, row: int, count: int, generator: torch.Generator) -> torch.Tensor:
        """Images (count, C, h, w) of a row's caption or label, that of the row among them or not."""
        alike = (self.of == self.of[row]).nonzero()[:, 0]
        return self.latents[alike[torch.randint(len(alike), (count,), generator=generator)]]


@dataclass(frozen=True)
class TripleSource:
    """Draws clips, the kind of each row, its frames, which texts are dropped, timesteps and noise, in this order.

    rates: (N,), frames a second of each clip. labels: the images of label-image rows, None where their share is 0.
    timesteps: (B, generator) -> (B,). drop: the share of texts that the empty prompt replaces. captions: the images of
    caption-image rows, by default the middle frames of the clips.

    An image is drawn as often as any other of its kind, so a label as often as it has images.
    """

    data: CaptionedLatents
    rates: torch.Tensor
    labels: Stills | None
    shares: TripleShares
    seed: int
    size: int
    timesteps: Timesteps
    drop: float
    captions: Stills | None = None

    def batch(self, step: int, share: Share = WHOLE) -> GridBatch:
        return self.draw(step_generator(self.seed, step)).part(share)

    def draw(self, generator: torch.Generator) -> GridBatch:
        """A whole batch of what comes next in the generator."""
        rows = torch.randint(len(self.data.latents), (self.size,), generator=generator)
        kinds = torch.multinomial(self._shares, self.size, replacement=True, generator=generator)
        pairs = zip(rows.tolist(), kinds.tolist(), strict=True)
        frames, texts = zip(*(self._taken(row, kind, generator) for row, kind in pairs), strict=True)
        clean = torch.stack(frames).float().movedim(2, 1)
        kept = torch.rand(self.size, generator=generator) >= self.drop
        timestep = self.timesteps(self.size, generator)
        noise = torch.randn(clean.shape, generator=generator)
        encoder = self.data.encoder
        text = torch.where(kept[:, None, None], encoder.scaled(torch.stack(texts)), encoder.scaled(encoder.empty))
        return GridBatch(clean, noise, timestep, text, self._fps(rows, kinds))

    @property
    def _shares(self) -> torch.Tensor:
        """(3,), in the order of the kinds."""
        return torch.tensor([self.shares.label_images, self.shares.videos, self.shares.caption_images]).float()

    def _taken(self, row: int, kind: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """The frames (T, C, h, w) of one row (Eq. 6), and the text (n, d) of its caption or label."""
        videos = self.data
        if kind == VIDEOS:
            return videos.latents[row], videos.texts[videos.text_of[row]]
        stills = self.labels if kind == LABEL_IMAGES else self.captions or Stills.middles(videos)
        if stills is None:
            raise ValueError(f"shares.label_images is {self.shares.label_images:g} without labels, expected 0")
        total = videos.latents.shape[1]
        if len(stills.latents) != len(videos.latents):  # of as many, any row is as likely already
            row = int(torch.randint(len(stills.latents), (), generator=generator))
        taken = (
            stills.alike(row, total, generator)
            if kind == LABEL_IMAGES
            else stills.latents[row].expand(total, -1, -1, -1)
        )
        return taken, stills.texts[stills.of[row]]

    def _fps(self, rows: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
        fps = self.rates[rows].float()
        fps[kinds == LABEL_IMAGES] = UNRELATED
        fps[kinds == CAPTION_IMAGES] = STILL
        return fps
