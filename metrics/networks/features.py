"""The feature networks of scoring: what each wants a clip to look like, and what it makes of it.

`prepare` runs in the worker that decoded the clip, `features` in the process that holds the weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from transformers.utils import logging as transformers_logging

from metrics.hashing import content_hash, fingerprint, weight_hash
from metrics.networks import i3d
from metrics.networks.clip import DualEncoder, WorldClipConfig
from metrics.networks.resize import resize
from metrics.networks.rules import Resize

WORLD_ENCODER = WorldClipConfig.model_type
CODE = 1  # raise it when i3d, clip or resize make other features of a clip: it names cached features and statistics


class Network(Protocol):
    """A way from clips to arrays. identity: changes with everything that changes an array."""

    name: str

    @property
    def identity(self) -> str: ...
    def prepare(self, clip: np.ndarray) -> torch.Tensor:
        """A clip uint8 (T, H, W, 3) as the network wants it."""
        ...

    def features(self, prepared: Sequence[torch.Tensor]) -> list[dict[str, np.ndarray]]:
        """The arrays of each clip."""
        ...


@dataclass(frozen=True)
class I3DFeatures:
    """I3D logits of a clip: `logits` (400,)."""

    network: i3d.I3D
    weights: str
    rule: Resize
    name: str = "i3d"

    @property
    def description(self) -> str:
        """What fingerprints call it, with its precision."""
        dtype = next(self.network.trunk.parameters()).dtype
        return f"i3d-kinetics-400 logits (TF-Hub), {str(dtype).removeprefix('torch.')}"

    @property
    def identity(self) -> str:
        """Hash of weights, precision, rule and the number of the code."""
        return fingerprint([self.description, self.weights, self.rule, CODE])

    def prepare(self, clip: np.ndarray) -> torch.Tensor:
        """(3, T, 224, 224) in [-1, 1].

        Raises:
            ValueError: if the clip has fewer frames than I3D can take.
        """
        if len(clip) < i3d.MIN_FRAMES:
            raise ValueError(f"{len(clip)} frames, I3D wants at least {i3d.MIN_FRAMES}")
        return i3d.prepare(torch.from_numpy(clip)[None], self.rule)[0]

    def features(self, prepared: Sequence[torch.Tensor]) -> list[dict[str, np.ndarray]]:
        """One forward pass for all clips."""
        return [{"logits": row} for row in i3d.extract(self.network, torch.stack(list(prepared))).numpy()]


@dataclass(frozen=True)
class ClipFeatures:
    """A dual encoder's unit vectors of a clip's frames: `frames` (T, d). content: hash of all its files."""

    encoder: DualEncoder
    weights: str
    content: str
    rule: Resize
    name: str = "clip"

    @property
    def description(self) -> str:
        """What fingerprints call it."""
        return f"dual encoder {self.encoder.model.config.model_type}"

    @property
    def identity(self) -> str:
        """Hash of weights, configurations, tokenizers, rule, transformers and the number of the code."""
        return fingerprint([self.content, self.rule, version("transformers"), CODE])

    def prepare(self, clip: np.ndarray) -> torch.Tensor:
        """(T, 3, S, S) in [0, 1]."""
        return resize(torch.from_numpy(clip), self.encoder.image_size, self.rule) / 255

    def features(self, prepared: Sequence[torch.Tensor]) -> list[dict[str, np.ndarray]]:
        """One forward pass for all frames of all clips."""
        frames = self.encoder.frame_features(torch.cat(list(prepared)))
        return [{"frames": part.numpy()} for part in frames.split([len(clip) for clip in prepared])]


def load_i3d(
    weights: Path | None, rule: Resize, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> I3DFeatures:
    """I3D from its converted weights; None takes those of the weights stage."""
    path = i3d.DEFAULT_WEIGHTS if weights is None else weights
    network = i3d.I3D.from_pretrained(path, dtype).to(device)
    return I3DFeatures(network, weight_hash(path), rule)


def load_clip(folder: Path, text_tower: Path | None, rule: Resize, device: str = "cpu") -> ClipFeatures:
    """A dual encoder from its folder; the text tower is a WorldClip's.

    Raises:
        FileNotFoundError: if there is no such folder, or no weights in it.
    """
    for place in filter(None, (folder, text_tower)):
        if not (place / "config.json").is_file():
            raise FileNotFoundError(f"dual encoder: {place} has no config.json, expected a checkpoint's folder")
    transformers_logging.disable_progress_bar()  # it draws a bar for a model of one megabyte, also into a log
    encoder = DualEncoder(folder, text_tower, device)
    folders = [folder, *([text_tower] if text_tower and encoder.is_world else [])]
    weights, content = ("+".join(digest(place) for place in folders) for digest in (weight_hash, content_hash))
    return ClipFeatures(encoder, weights, content, rule)
