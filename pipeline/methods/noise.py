"""The rule for a method's initial noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Noise:
    """Independent noise in every frame (`iid`), or PYoCo's (`mixed`), whose frames share a part; `weight` is its a."""

    kind: Literal["iid", "mixed"] = "iid"
    weight: float = 0.0

    def draw(self, shape: tuple[int, ...], frame_axis: int, seed: int) -> torch.Tensor:
        """The noise of one clip, of the sampler's shape, from its seed alone: whatever the batch or the device."""
        from pipeline.harivo.noise import video_noise

        return video_noise(shape, seed, self.kind, self.weight, frame_axis)
