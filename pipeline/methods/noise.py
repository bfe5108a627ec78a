"""The rule for a method's initial noise."""

from dataclasses import dataclass

import torch

from pipeline.harivo.noise import NoiseKind, video_noise


@dataclass(frozen=True)
class Noise:
    """Independent noise in every frame (`iid`), or PYoCo's (`mixed`), whose frames share a part; `weight` is its a."""

    kind: NoiseKind = "iid"
    weight: float = 0.0

    def draw(self, shape: tuple[int, ...], frame_axis: int, seed: int) -> torch.Tensor:
        """The noise of one clip, of the sampler's shape, from its seed alone: whatever the batch or the device."""
        return video_noise(shape, seed, self.kind, self.weight, frame_axis)
