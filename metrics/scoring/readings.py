"""What is read off a clip's pixels, as networks of the extraction: computed where the clip is decoded, cached by
content.

A clip that is too small, or of a single frame, gives NaN and so lacks the metric.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch.nn import functional as F

from metrics.digests import digest
from metrics.distances import flow
from metrics.distances.flicker import temporal_flickering
from metrics.hashing import weight_hash
from metrics.networks.environment import device_name, environment
from metrics.networks.float32 import full_float32

CODE = 1  # raise it when a reading of the same pixels changes: it names cached readings
_MULTIPLE = 8  # flow networks halve a frame three times


@dataclass(frozen=True)
class FlickerReadings:
    """`temporal_flickering` of a clip."""

    name: str = "pixels"
    weights: str = "none"
    description: str = "pixels"
    device: str = "cpu"

    @cached_property
    def environment(self) -> dict[str, str]:
        """The number of the code, libraries and device."""
        return {"code": str(CODE)} | environment("cpu")

    @property
    def identity(self) -> str:
        """Digest of the number of the code: whole numbers are averaged, on any machine alike."""
        return digest([self.description, CODE])

    def prepare(self, clip: np.ndarray) -> torch.Tensor:
        """The reading itself."""
        return torch.tensor(temporal_flickering(clip) if len(clip) > 1 else np.nan, dtype=torch.float64)

    def features(self, prepared: Sequence[torch.Tensor]) -> list[dict[str, np.ndarray]]:
        """The same by name."""
        return [{"temporal_flickering": value.numpy()} for value in prepared]


@dataclass(frozen=True)
class FlowReadings:
    """`dynamic_degree` and `warping_error` of a clip, from OpenCV's DIS."""

    name: str = "flow"
    weights: str = "none"
    description: str = flow.DESCRIPTION
    device: str = "cpu"
    preparation: tuple[str, str] = ("none", "[0, 1]")

    @cached_property
    def environment(self) -> dict[str, str]:
        """The number of the code, libraries and device."""
        return {"code": str(CODE)} | environment("cpu")

    @property
    def identity(self) -> str:
        """Digest of the method, the code, libraries and device."""
        return digest([self.description, self.environment])

    def prepare(self, clip: np.ndarray) -> torch.Tensor:
        """Both readings: the flow is computed in the worker, so that no clip is handed over."""
        return torch.tensor(_readings(clip, *flow.dis_flows(clip)) if _moves(clip) else _NONE, dtype=torch.float64)

    def features(self, prepared: Sequence[torch.Tensor]) -> list[dict[str, np.ndarray]]:
        """The same by name."""
        return [dict(zip(_NAMES, values.numpy(), strict=True)) for values in prepared]


@dataclass(frozen=True)
class NetworkFlowReadings:
    """The same from a TorchScript network, frames (B, 3, H, W) in [0, 255] twice -> flow (B, 2, H, W) in pixels.

    weights: sha256 of the file. Frames are padded at the right and below, by their last pixels, to multiples of 8.
    """

    path: Path
    weights: str
    device: str = "cpu"
    name: str = "flow"
    description: str = "optical flow: TorchScript network of the user's"
    preparation: ClassVar[tuple[str, str]] = ("padded to multiples of 8", "[0, 255]")

    @cached_property
    def network(self) -> torch.jit.ScriptModule:
        """The network, loaded when it is first used."""
        return torch.jit.load(self.path, map_location=self.device).eval()

    @cached_property
    def environment(self) -> dict[str, str]:
        """The number of the code, libraries and device."""
        return {"code": str(CODE)} | environment(self.device)

    @property
    def identity(self) -> str:
        """Digest of the weights, the code, libraries and device."""
        return digest([self.weights, self.environment])

    def prepare(self, clip: np.ndarray) -> torch.Tensor:
        """The clip as it is."""
        return torch.from_numpy(clip)

    def features(self, prepared: Sequence[torch.Tensor]) -> list[dict[str, np.ndarray]]:
        """The network's flows of every clip, and the readings from them.

        Raises:
            ValueError: if the network does not give a flow of the frames' size.
        """
        values = (self._of_clip(clip) for clip in prepared)
        return [dict(zip(_NAMES, map(np.float64, pair), strict=True)) for pair in values]

    def _of_clip(self, clip: torch.Tensor) -> tuple[float, float]:
        if not _moves(clip.numpy()):
            return _NONE
        height, width = clip.shape[1:3]
        frames = clip.to(self.device).movedim(-1, 1).float()
        frames = F.pad(frames, (0, -width % _MULTIPLE, 0, -height % _MULTIPLE), mode="replicate")
        there, back = self._flow(frames[:-1], frames[1:]), self._flow(frames[1:], frames[:-1])
        return _readings(clip.numpy(), *(found[:, :height, :width] for found in (there, back)))

    @torch.inference_mode()
    def _flow(self, first: torch.Tensor, second: torch.Tensor) -> np.ndarray:
        with full_float32():
            found = torch.cat([self.network(a, b) for a, b in zip(first.split(1), second.split(1), strict=True)])
        if found.shape != (len(first), 2, *first.shape[2:]):
            raise ValueError(
                f"{self.path}: makes {tuple(found.shape)} of frames {tuple(first.shape)}, expected a flow (B, 2, H, W)"
            )
        return found.movedim(1, -1).float().cpu().numpy()


def load_flow(network: Path | None, device: str = "cpu") -> FlowReadings | NetworkFlowReadings:
    """DIS, or a TorchScript flow network from its file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the device is a GPU and there is none.
    """
    if network is None:
        return FlowReadings()
    if not network.is_file():
        raise FileNotFoundError(f"flow network: {network}: no such file")
    device_name(device)  # now: workers cannot ask
    return NetworkFlowReadings(network, weight_hash(network), device)


_NAMES = ("dynamic_degree", "warping_error")
_NONE = (np.nan, np.nan)


def _moves(clip: np.ndarray) -> bool:
    return len(clip) > 1 and min(clip.shape[1:3]) >= flow.LEAST_SIDE


def _readings(clip: np.ndarray, there: np.ndarray, back: np.ndarray) -> tuple[float, float]:
    return flow.dynamic_degree(there), flow.warping_error(clip, there, back)
