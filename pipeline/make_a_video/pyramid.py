"""Clips of the toy world in pixels at several sizes, each the box average of one that is rendered larger, and the image
embeddings of some of their frames. There are no captions in here."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from metrics.networks.clip import DualEncoder
from metrics.progress import each
from pipeline.make_a_video.embedding import JointSpace
from pipeline.weights.checkpoints import resolve
from pipeline.world.render import render
from pipeline.world.scene import FRAMES, Scenes

EMBEDDED = (2, 6, 9, 13)  # frames of each clip that image embeddings are made of
_CHUNK = 64  # clips at once


def shrunk(frames: torch.Tensor, size: int) -> torch.Tensor:
    """Frames (…, 3, S, S) as box averages (…, 3, size, size).

    Raises:
        ValueError: if S is no multiple of `size`.
    """
    side = frames.shape[-1]
    if side % size:
        raise ValueError(f"frames of {side} pixels cannot be averaged to {size}, expected a divisor")
    flat = F.avg_pool2d(frames.reshape(-1, *frames.shape[-3:]), side // size)
    return flat.view(*frames.shape[:-2], size, size)


def clips_of(scenes: Scenes, shading: float, rendered: int, size: int) -> torch.Tensor:
    """uint8 clips (N, T, 3, size, size), rendered at `rendered` pixels."""
    return torch.cat([_bytes(shrunk(part, size)) for part in _rendered(scenes, shading, rendered, slice(None))])


def joint_space(clip: str, text_tower: str) -> JointSpace:
    """The dual encoder of a specification: folder or hub id; and the folder of the toy world's text tower."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return JointSpace(DualEncoder(resolve(clip), Path(text_tower), device))


def embeddings_of(
    scenes: Scenes, shading: float, rendered: int, space: JointSpace, frames: tuple[int, ...] = EMBEDDED
) -> torch.Tensor:
    """(N, len(frames), d): image embeddings of some frames of every clip."""
    side, found = space.encoder.image_size, []
    for part in _rendered(scenes, shading, rendered, list(frames)):
        seen = (shrunk(part, side) + 1) / 2
        found.append(space.images(seen.flatten(0, 1)).unflatten(0, seen.shape[:2]))
    return torch.cat(found)


def scaled(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 -> float in [-1, 1]."""
    return pixels.float() / 127.5 - 1


def psnr(made: torch.Tensor, true: torch.Tensor) -> float:
    """Mean over clips (N, …) in [-1, 1] of 10 log10 (4 / mean squared error), in dB."""
    error = (made.clamp(-1, 1) - true).square().flatten(1).mean(dim=1)
    return float((10 * torch.log10(4 / error.clamp(min=1e-10))).mean())


def _rendered(scenes: Scenes, shading: float, side: int, frames: slice | list[int]) -> Iterator[torch.Tensor]:
    """Clips (n, T, 3, side, side) in [-1, 1], of a part of the scenes each."""
    for start in each(range(0, len(scenes), _CHUNK), "rendering", "parts", keep=False):
        clips = render(scenes[start : start + _CHUNK], shading, FRAMES, side)
        yield scaled(torch.from_numpy(np.ascontiguousarray(clips[:, frames])).movedim(-1, -3))


def _bytes(frames: torch.Tensor) -> torch.Tensor:
    return ((frames + 1) * 127.5).round().byte()
