"""train_clip: a dual encoder for the world, so that CLIPSIM can be computed without a download.

A frame shows colour, shape, texture and size, and by its shading where the object is going: captions of the same five
names, in other words, count as the same match, both in training and in the ranking that is its target.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from metrics.distances.clipsim import clipsim
from metrics.networks.clip import TextTower, WorldClip, WorldClipConfig
from pipeline.config import paths
from pipeline.config.embed import Embed
from pipeline.config.specs import ClipSpec
from pipeline.training.task import WHOLE, Batch, Losses, Share, gathered, step_generator
from pipeline.world.captions import captions
from pipeline.world.render import render
from pipeline.world.scene import COLOURS, DIRECTIONS, SHAPES, SIZES, TEXTURES, Names, draw

VALIDATION_SEED = 3_000_001  # scenes that no training seed draws
VISIBLE = {
    "colour": list(COLOURS),
    "shape": list(SHAPES),
    "texture": list(TEXTURES),
    "size": list(SIZES),
    "motion": list(DIRECTIONS),
}


def contents(names: list[Names]) -> torch.Tensor:
    """(N,) one number per scene for what a single frame of it can show."""
    code = np.zeros(len(names), np.int64)
    for attribute, words in VISIBLE.items():
        code = code * len(words) + [words.index(getattr(name, attribute)) for name in names]
    return torch.from_numpy(code)


@dataclass(frozen=True)
class Pairs(Batch):
    """images (B, 3, H, W) in [0, 1], their captions' pooled tokens (B, d), and what each shows (B,), see `contents`."""

    images: torch.Tensor
    pooled: torch.Tensor
    content: torch.Tensor


@dataclass(frozen=True)
class Captioned:
    """N clips (N, T, H, W, 3), their `contents` (N,) and their captions' pooled tokens (N, d)."""

    clips: torch.Tensor
    content: torch.Tensor
    pooled: torch.Tensor

    @classmethod
    def of_world(cls, n: int, seed: int, tower: TextTower) -> "Captioned":
        """Clips of scenes that the seed draws."""
        names, scenes = draw(n, seed)
        return cls(torch.from_numpy(render(scenes)), contents(names), tower.pooled(captions(names, seed)))

    def first(self, n: int) -> "Captioned":
        """The first n of them."""
        return Captioned(self.clips[:n], self.content[:n], self.pooled[:n])


@dataclass(frozen=True)
class PairSource:
    """Draws `size` clips, and a frame of each."""

    data: Captioned
    seed: int
    size: int

    def batch(self, step: int, share: Share = WHOLE) -> Pairs:
        generator, data = step_generator(self.seed, step), self.data
        rows = torch.randint(len(data.clips), (self.size,), generator=generator)
        frame = torch.randint(data.clips.shape[1], (self.size,), generator=generator)
        return Pairs(_to_unit(data.clips[rows, frame]), data.pooled[rows], data.content[rows]).part(share)


class Towers(nn.Module):
    """The dual encoder as it is trained: both sides of a batch, and the temperature."""

    def __init__(self, clip: WorldClip) -> None:
        super().__init__()
        self.clip = clip

    def forward(self, images: torch.Tensor, pooled: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Unit vectors (B, d) of images and captions, and the factor () on their cosines, at most 100."""
        clip = self.clip
        return clip.embed_frames(images), clip.embed_pooled_text(pooled), clip.logit_scale.exp().clamp(max=100)


class ClipTask:
    """Match frames and captions in both directions; every caption of the same visible content is a match."""

    def __init__(self, spec: ClipSpec, tower: TextTower, seed: int, device: torch.device | str) -> None:
        torch.manual_seed(seed)
        self.spec, self.device = spec, device
        config = WorldClipConfig(
            hidden_size=spec.hidden_size, layers=spec.layers, heads=spec.heads, projection_dim=spec.projection_dim
        )
        self.clip = WorldClip(config).to(device)
        self.model = Towers(self.clip)
        self.source = PairSource(Captioned.of_world(spec.scenes, seed, tower), seed, spec.batch)
        self.unseen = Captioned.of_world(spec.validation_scenes, VALIDATION_SEED, tower)

    def loss(self, model: nn.Module, batch: Pairs) -> Losses:
        """Cross entropy of every frame among all captions of the whole batch, and the other way round."""
        images, texts, scale = model(batch.images, batch.pooled)
        images, texts, content = gathered(images), gathered(texts), gathered(batch.content)
        logits = scale * images @ texts.T
        match = (content[:, None] == content).float()
        target = match / match.sum(dim=1, keepdim=True)
        parts = {"captions": F.cross_entropy(logits, target), "frames": F.cross_entropy(logits.T, target)}
        return Losses((parts["captions"] + parts["frames"]) / 2, parts)

    def validate(self, final: bool) -> dict[str, float]:
        """Share of unseen clips whose CLIPSIM is highest for their own caption among captions of other content."""
        data = self.unseen if final else self.unseen.first(128)
        texts = self.clip.embed_pooled_text(data.pooled.to(self.device))
        frames = torch.stack([self.clip.embed_frames(_to_unit(clip).to(self.device)) for clip in data.clips])
        rng = np.random.default_rng(VALIDATION_SEED)
        first = [
            self._ranks_first(frames[i], texts, _candidates(i, data.content, self.spec.candidates, rng))
            for i in range(len(frames))
        ]
        return {"ranked_first": float(np.mean(first)), "clipsim": float(clipsim(frames, texts).mean())}

    def picture(self) -> None:
        return None

    @staticmethod
    def _ranks_first(frames: torch.Tensor, texts: torch.Tensor, rows: list[int]) -> bool:
        """Whether the first of `rows` has the highest CLIPSIM with the clip's frame features (T, d)."""
        scores = clipsim(frames.expand(len(rows), -1, -1), texts[rows])
        return bool(scores.argmax() == 0)


def _candidates(own: int, content: torch.Tensor, n: int, rng: np.random.Generator) -> list[int]:
    """The own row and n - 1 rows of n - 1 other contents."""
    others = torch.unique(content[content != content[own]])
    chosen = rng.choice(others.numpy(), n - 1, replace=False)
    return [own, *(int(rng.choice(np.flatnonzero(content.numpy() == code))) for code in chosen)]


def _to_unit(frames: torch.Tensor) -> torch.Tensor:
    """uint8 frames (B, H, W, 3) -> float (B, 3, H, W) in [0, 1]."""
    return frames.movedim(-1, 1).float() / 255


def build_task(spec: ClipSpec, _embed: Embed, seed: int, device: str) -> ClipTask:
    """The task of params.yaml's train.clip.spec."""
    return ClipTask(spec, TextTower(paths.MINILM), seed, device)


def export(task: ClipTask, folder: Path) -> None:
    """Write the dual encoder, without its text tower, as a transformers folder, float16."""
    task.clip.half().save_pretrained(folder)
