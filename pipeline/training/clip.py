"""train@clip: a dual encoder for the world, so that CLIPSIM can be computed without a download.

A frame shows colour, shape, texture and size, but not where the object is going: captions that differ in the motion
alone count as the same match, both in training and in the ranking that is its target.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from metrics.distances.clipsim import clipsim
from metrics.networks.clip import TextTower, WorldClip, WorldClipConfig
from pipeline.config import paths
from pipeline.training.loop import step_generator
from pipeline.world.captions import captions
from pipeline.world.render import render
from pipeline.world.scene import COLOURS, SHAPES, SIZES, TEXTURES, Names, draw

VALIDATION_SEED = 3_000_001  # scenes that no training seed draws
VISIBLE = {"colour": list(COLOURS), "shape": list(SHAPES), "texture": list(TEXTURES), "size": list(SIZES)}


@dataclass(frozen=True)
class ClipSpec:
    """Architecture and data. `candidates` is the number of captions that the right one is ranked among."""

    hidden_size: int
    layers: int
    heads: int
    projection_dim: int
    batch: int
    scenes: int
    candidates: int
    validation_scenes: int


def contents(names: list[Names]) -> torch.Tensor:
    """(N,) one number per scene for what a single frame of it can show."""
    code = np.zeros(len(names), np.int64)
    for attribute, words in VISIBLE.items():
        code = code * len(words) + [words.index(getattr(name, attribute)) for name in names]
    return torch.from_numpy(code)


class ClipTask:
    """Match frames and captions in both directions; every caption of the same visible content is a match."""

    def __init__(self, spec: ClipSpec, tower: TextTower, seed: int, device: torch.device | str) -> None:
        torch.manual_seed(seed)
        self.spec, self.seed, self.device = spec, seed, device
        self.model = WorldClip(
            WorldClipConfig(
                hidden_size=spec.hidden_size,
                layers=spec.layers,
                heads=spec.heads,
                projection_dim=spec.projection_dim,
            )
        ).to(device)
        self.clips, self.content, self.pooled = _data(spec.scenes, seed, tower)
        self.unseen = _data(spec.validation_scenes, VALIDATION_SEED, tower)

    def loss(self, step: int) -> torch.Tensor:
        generator = step_generator(self.seed, step)
        rows = torch.randint(len(self.clips), (self.spec.batch,), generator=generator)
        frame = torch.randint(self.clips.shape[1], (self.spec.batch,), generator=generator)
        images = self.model.embed_frames(_to_unit(self.clips[rows, frame]).to(self.device))
        texts = self.model.embed_pooled_text(self.pooled[rows].to(self.device))
        logits = self.model.logit_scale.exp().clamp(max=100) * images @ texts.T
        match = (self.content[rows, None] == self.content[rows]).float().to(self.device)
        target = match / match.sum(dim=1, keepdim=True)
        return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2

    def validate(self, final: bool) -> dict[str, float]:
        """Share of unseen clips whose CLIPSIM is highest for their own caption among captions of other content."""
        clips, content, pooled = (x if final else x[:128] for x in self.unseen)
        texts = self.model.embed_pooled_text(pooled.to(self.device))
        frames = torch.stack([self.model.embed_frames(_to_unit(clip).to(self.device)) for clip in clips])
        rng = np.random.default_rng(VALIDATION_SEED)
        first = [
            self._ranks_first(frames[i], texts, _candidates(i, content, self.spec.candidates, rng))
            for i in range(len(clips))
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


def _data(n: int, seed: int, tower: TextTower) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    names, scenes = draw(n, seed)
    return torch.from_numpy(render(scenes)), contents(names), tower.pooled(captions(names, seed))


def _to_unit(frames: torch.Tensor) -> torch.Tensor:
    """uint8 frames (B, H, W, 3) -> float (B, 3, H, W) in [0, 1]."""
    return frames.movedim(-1, 1).float() / 255


def build_task(spec: dict[str, Any], seed: int, device: str) -> ClipTask:
    """The task of params.yaml's train.clip.spec."""
    return ClipTask(ClipSpec(**spec), TextTower(paths.MINILM), seed, device)


def export(task: ClipTask, folder: Path) -> None:
    """Write the dual encoder, without its text tower, as a transformers folder, float16."""
    task.model.half().save_pretrained(folder)
