"""FPS embedding: how far apart in time the frames of a grid are (ETC, Section 4.2 and Eq. 6)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.models.controlnets.controlnet import zero_module
from torch import nn

UNRELATED = 0  # frames are different images of one label: infinitely far apart
STILL = 120  # frames are one image, repeated: no time between them
VIDEO_FPS = (1, 2, 4, 8, 15, 30, 60)  # frame rates of training videos


class FpsEmbedding(ModelMixin, ConfigMixin):
    """Three linear layers behind the sinusoids that embed the timestep: ×4, back, and one that starts at zero, so that
    an untrained embedding changes nothing.

    Of the embedding module that frame rate and timestep share in the paper these sinusoids are meant here: they
    have no parameters, and the timestep's learnt layers stay its own. The paper says three layers that go up
    fourfold and back to the width they start from, not which goes where. It adds the result "to the noise input of
    the U-Net": here to what its first convolution makes of the noise, which has that width (320 channels in Stable
    Diffusion, where the noise itself has 4).
    """

    @register_to_config
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(channels, 4 * channels),
            nn.SiLU(),
            nn.Linear(4 * channels, channels),
            nn.SiLU(),
            zero_module(nn.Linear(channels, channels)),
        )

    def forward(self, sinusoids: torch.Tensor) -> torch.Tensor:
        """Sinusoids (B, channels) of the frame rate -> what is added, (B, channels)."""
        return self.layers(sinusoids)


def check_fps(fps: torch.Tensor) -> None:
    """Refuse frame rates outside of 0 … 120.

    Raises:
        ValueError: naming the least and the greatest.
    """
    if not (fps.min() >= UNRELATED and fps.max() <= STILL):
        raise ValueError(f"fps: found {fps.min():g} to {fps.max():g}, expected {UNRELATED} to {STILL}")


@contextmanager
def added_behind(conv_in: nn.Module, rate: torch.Tensor) -> Iterator[None]:
    """Add what the FPS embedding made of each row's frame rate, (B, channels), to what this layer makes of it."""

    def add(_module: nn.Module, _inputs: object, made: torch.Tensor) -> torch.Tensor:
        return made + rate[:, :, None, None]

    hook = conv_in.register_forward_hook(add)
    try:
        yield
    finally:
        hook.remove()
