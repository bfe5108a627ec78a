"""The toy world's codec: a latent is colours, by a linear map, and structure, by a learned one.

Halfway between a red and a blue object's latents lies a purple object, for every pair of colours, because frames are
linear in the colour channels: each pixel is a weighted mean of the colours around it plus an offset, and the weights
and the offset come from the structure channels alone. What is learned decides where edges, stripes and shading are; it
never decides a hue. So no training of the codec can bend the way from one colour to another.
"""

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput, DiagonalGaussianDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from torch import nn
from torch.nn import functional as F

COLOURS = 3  # latent channels that are colours; the others are structure
_NEAR = 9  # patches whose colours a pixel is made of: its own, in the middle, and its neighbours
_GROUPS = 8


class ColourCodec(ModelMixin, ConfigMixin):
    """Frames (B, 3, H, W) in [-1, 1] <-> latents (B, latent_channels, H / s, W / s); s = 2 ** (number of blocks - 1).

    The first three latent channels are the mean colour of each s x s patch, the others its structure; `fit_scale`
    brings each channel to mean 0 and standard deviation 1. There is no noise: `latent_dist` is a point.

    Args:
        latent_channels: three for colour, the rest for structure.
        block_out_channels: as in diffusers' codecs, whose pipelines read the patch's side from their number; the last
            is the width of both networks.
        layers: residual blocks in each network.
        scaling_factor: 1, for diffusers' pipelines: the scale is per channel and part of the weights.
    """

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 8,
        block_out_channels: tuple[int, ...] = (96, 96, 96),
        layers: int = 3,
        scaling_factor: float = 1.0,
    ) -> None:
        super().__init__()
        width, structure = block_out_channels[-1], latent_channels - COLOURS
        self.patch = 2 ** (len(block_out_channels) - 1)
        pixels = self.patch**2
        self.encoder = _network(COLOURS * pixels, width, structure, layers)
        self.decoder = _network(structure, width, pixels * (_NEAR + 1), layers)
        _begin_with_the_own_patch(self.decoder[-1], pixels)
        self.register_buffer("mean", torch.zeros(latent_channels))
        self.register_buffer("std", torch.ones(latent_channels))

    def encode(self, x: torch.Tensor, return_dict: bool = True) -> AutoencoderKLOutput | tuple:
        """Latents of frames, as a distribution of one point."""
        raw = torch.cat([self.colours(x), self.structure(x)], dim=1)
        latents = (raw - self._channels(self.mean)) / self._channels(self.std)
        point = DiagonalGaussianDistribution(torch.cat([latents, torch.zeros_like(latents)], 1), deterministic=True)
        return AutoencoderKLOutput(latent_dist=point) if return_dict else (point,)

    def decode(
        self, z: torch.Tensor, return_dict: bool = True, generator: torch.Generator | None = None
    ) -> DecoderOutput | tuple[torch.Tensor]:
        """Frames of latents. `generator` is what diffusers' pipelines hand to every codec; nothing is drawn here."""
        raw = z * self._channels(self.std) + self._channels(self.mean)
        frames = self.compose(raw[:, :COLOURS], raw[:, COLOURS:])
        return DecoderOutput(sample=frames) if return_dict else (frames,)

    def colours(self, frames: torch.Tensor) -> torch.Tensor:
        """(B, 3, h, w), the mean of each patch, in the frames' values: linear in them."""
        return F.avg_pool2d(frames, self.patch)

    def structure(self, frames: torch.Tensor) -> torch.Tensor:
        """(B, latent_channels - 3, h, w), unscaled."""
        return self.encoder(F.pixel_unshuffle(frames, self.patch))

    def compose(self, colours: torch.Tensor, structure: torch.Tensor) -> torch.Tensor:
        """Frames (B, 3, H, W): affine in `colours` (B, 3, h, w), the same for each of the three, given `structure`."""
        batch, _, height, width = colours.shape
        weights = self.decoder(structure).view(batch, self.patch**2, _NEAR + 1, height, width)
        padded = F.pad(colours, (1, 1, 1, 1), mode="replicate")
        near = F.unfold(padded, 3).view(batch, COLOURS, _NEAR, height, width)
        pixels = torch.einsum("bpnhw,bcnhw->bcphw", weights[:, :, :_NEAR], near) + weights[:, None, :, _NEAR]
        return F.pixel_shuffle(pixels.flatten(1, 2), self.patch)

    @torch.no_grad()
    def fit_scale(self, frames: torch.Tensor) -> None:
        """Take the mean and the standard deviation of each channel from frames (B, 3, H, W)."""
        raw = torch.cat([self.colours(frames), self.structure(frames)], dim=1)
        self.mean.copy_(raw.mean(dim=(0, 2, 3)))
        self.std.copy_(raw.std(dim=(0, 2, 3)))

    @staticmethod
    def _channels(values: torch.Tensor) -> torch.Tensor:
        """(C,) -> (1, C, 1, 1)."""
        return values[None, :, None, None]


class _Residual(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = [nn.GroupNorm(_GROUPS, width), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1)]
        other = [nn.GroupNorm(_GROUPS, width), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1)]
        self.layers = nn.Sequential(*half, *other)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x)


def _network(given: int, width: int, wanted: int, layers: int) -> nn.Sequential:
    """Convolutions at the latents' resolution, where a pixel costs a sixteenth of what it costs at the frames'."""
    body = [_Residual(width) for _ in range(layers)]
    head = [nn.GroupNorm(_GROUPS, width), nn.SiLU(), nn.Conv2d(width, wanted, 1)]
    return nn.Sequential(nn.Conv2d(given, width, 3, padding=1), *body, *head)


def _begin_with_the_own_patch(last: nn.Conv2d, pixels: int) -> None:
    """Untrained, every pixel is the mean colour of its patch."""
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    with torch.no_grad():
        last.bias.view(pixels, _NEAR + 1)[:, _NEAR // 2] = 1
