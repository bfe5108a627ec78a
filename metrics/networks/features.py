"""The feature networks of scoring: what each wants a clip to look like, and what it makes of it.

`prepare` runs in the worker that decoded the clip, and `features` too, unless the network is on a GPU: then in the
process that started the workers. Weights are loaded when the first clip wants them, and shared by all workers: where
everything is cached no model is, nor the libraries behind it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import torch

from metrics.digests import digest
from metrics.hashing import content_hash, weight_hash
from metrics.networks import i3d
from metrics.networks.environment import device_name, environment
from metrics.networks.float32 import full_float32
from metrics.networks.resize import resize
from metrics.networks.rules import WORLD_ENCODER, Resize

if TYPE_CHECKING:
    from metrics.networks.clip import DualEncoder

CODE = 2  # raise it when i3d, clip or resize make other features of a clip: it names cached features and statistics


class Network(Protocol):
    """A way from clips to arrays. identity: changes with everything that changes an array. device: where it computes,
    "cpu" being the processor of whoever calls."""

    name: str
    device: str

    @property
    def identity(self) -> str: ...
    def prepare(self, clip: np.ndarray) -> torch.Tensor:
        """A clip uint8 (T, H, W, 3) as the network wants it."""
        ...

    def features(self, prepared: Sequence[torch.Tensor]) -> list[dict[str, np.ndarray]]:
        """The arrays of each clip."""
        ...


@runtime_checkable
class Described(Protocol):
    """A network that fingerprints name. weights: sha256 of them, or "none". environment: number of the code, libraries
    and device."""

    weights: str

    @property
    def description(self) -> str: ...
    @property
    def environment(self) -> dict[str, str]: ...


@runtime_checkable
class Recorded(Protocol):
    """A network whose features may be kept as statistics, and compared with those of one recipe, wherever computed."""

    @property
    def recipe(self) -> dict[str, str]: ...


@runtime_checkable
class Prepared(Protocol):
    """A network that is fed as it wants, not as a protocol says."""

    @property
    def preparation(self) -> tuple[str, str]:
        """How frames are resized, and the range of their values."""
        ...


@dataclass(frozen=True)
class I3DFeatures:
    """I3D logits of a clip: `logits` (400,). weights: sha256 of the file."""

    path: Path
    weights: str
    rule: Resize
    device: str = "cpu"
    dtype: torch.dtype = torch.float32
    name: str = "i3d"

    @cached_property
    def network(self) -> i3d.I3D:
        """The network, loaded when it is first used."""
        return i3d.I3D.from_pretrained(self.path, self.dtype).to(self.device)

    @property
    def description(self) -> str:
        """What fingerprints call it, with its precision."""
        return f"i3d-kinetics-400 logits (TF-Hub), {str(self.dtype).removeprefix('torch.')}"

    @property
    def recipe(self) -> dict[str, str]:
        """What is computed, wherever: two machines' features of one recipe may be compared."""
        return {"network": self.description, "weights": self.weights, "resize": str(self.rule), "code": str(CODE)}

    @cached_property
    def environment(self) -> dict[str, str]:
        """The number of the code, libraries and device."""
        return {"code": str(CODE)} | environment(self.device)

    @cached_property
    def identity(self) -> str:
        """Digest of weights, precision, rule, code, libraries and device."""
        return digest([self.recipe, self.environment])

    def prepare(self, clip: np.ndarray) -> torch.Tensor:
        """(3, T, 224, 224) in [-1, 1].

        Raises:
            ValueError: if the clip has fewer frames than I3D can take.
        """
        if len(clip) < i3d.MIN_FRAMES:
            raise ValueError(f"{len(clip)} frames, I3D wants at least {i3d.MIN_FRAMES}")
        return i3d.prepare(torch.from_numpy(clip)[None], self.rule)[0]

    def features(self, prepared: Sequence[torch.Tensor]) -> list[dict[str, np.ndarray]]:
        """One forward pass for all clips, whose channels stay last in memory."""
        clips = torch.stack([clip.movedim(0, -1) for clip in prepared]).movedim(-1, 1)
        return [{"logits": row} for row in i3d.extract(self.network, clips).numpy()]


@dataclass(frozen=True)
class ClipFeatures:
    """A dual encoder's unit vectors of a clip's frames: `frames` (T, d).

    weights: sha256 of both towers'. content: hash of all their files. kind, image_size: its model type, and the side of
    the frames that it wants.
    """

    folder: Path
    text_tower: Path | None
    weights: str
    content: str
    kind: str
    image_size: int
    rule: Resize
    device: str = "cpu"
    name: str = "clip"

    @cached_property
    def encoder(self) -> "DualEncoder":
        """The dual encoder, loaded when it is first used."""
        from transformers.utils import logging as transformers_logging

        from metrics.networks.clip import DualEncoder

        transformers_logging.disable_progress_bar()  # it draws a bar for a model of one megabyte, also into a log
        return DualEncoder(self.folder, self.text_tower, self.device)

    @property
    def description(self) -> str:
        """What fingerprints call it."""
        return f"dual encoder {self.kind}"

    @cached_property
    def environment(self) -> dict[str, str]:
        """The number of the code, digests of all files (with configurations and tokenizers), libraries and device."""
        return {"code": str(CODE), "files": self.content} | environment(self.device, "transformers")

    @cached_property
    def identity(self) -> str:
        """Digest of weights, configurations, tokenizers, rule, code, libraries and device."""
        return digest([self.environment, str(self.rule)])

    def prepare(self, clip: np.ndarray) -> torch.Tensor:
        """(T, 3, S, S) in [0, 1]."""
        return resize(torch.from_numpy(clip), self.image_size, self.rule) / 255

    def features(self, prepared: Sequence[torch.Tensor]) -> list[dict[str, np.ndarray]]:
        """One forward pass for all frames of all clips."""
        with full_float32():
            frames = self.encoder.frame_features(torch.cat(list(prepared)))
        return [{"frames": part.numpy()} for part in frames.split([len(clip) for clip in prepared])]

    def text_features(self, texts: list[str]) -> np.ndarray:
        """Unit vectors (N, d) of captions."""
        with full_float32():
            return self.encoder.text_features(texts).numpy()


def load_i3d(
    weights: Path | None, rule: Resize, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> I3DFeatures:
    """I3D from its converted weights, which are read when a clip wants them; None takes those of the weights stage.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the device is a GPU and there is none.
    """
    path = i3d.weights_file(weights)
    device_name(device)  # now: workers cannot ask
    return I3DFeatures(path, weight_hash(path), rule, device, dtype)


def load_clip(folder: Path, text_tower: Path | None, rule: Resize, device: str = "cpu") -> ClipFeatures:
    """A dual encoder from its folder, which is read when a clip wants it; the text tower is a WorldClip's.

    Raises:
        FileNotFoundError: if there is no such folder, or no weights in it.
        ValueError: if a WorldClip has no text tower, or the device is a GPU and there is none.
    """
    for place in filter(None, (folder, text_tower)):
        if not (place / "config.json").is_file():
            raise FileNotFoundError(f"dual encoder: {place} has no config.json, expected a checkpoint's folder")
    device_name(device)  # now: workers cannot ask
    config = json.loads((folder / "config.json").read_text())
    kind = config["model_type"]
    if kind == WORLD_ENCODER and text_tower is None:
        raise ValueError(f"{folder} is a {kind}: it needs the folder of its text tower")
    tower = text_tower if kind == WORLD_ENCODER else None
    folders = [folder, *([tower] if tower else [])]
    weights, content = ("+".join(digest(place) for place in folders) for digest in (weight_hash, content_hash))
    return ClipFeatures(folder, tower, weights, content, kind, _image_size(config), rule, device)


def _image_size(config: dict[str, Any]) -> int:
    """The side in a checkpoint's configuration, which leaves out what is transformers' default."""
    if config["model_type"] == WORLD_ENCODER:
        return config.get("image_size", 32)
    return config.get("vision_config", {}).get("image_size", 224)
