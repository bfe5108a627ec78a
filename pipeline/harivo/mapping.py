"""The mapping network: a learnt change of the noisy latents, before the UNet (HARIVO, Section 3.2 and Appendix A)."""

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.models.attention_processor import Attention
from torch import nn


class MappingNetwork(ModelMixin, ConfigMixin):
    """x + conv(x) + attention(x + conv(x)): a 3-D convolution over frames and pixels, then attention over the frames
    of each pixel.

    Both branches end in a layer that starts at zero, so an untrained network is the identity. The paper's listing adds
    its input twice, which would start at 2x; here the convolution is the residual branch that its name says.
    """

    @register_to_config
    def __init__(self, channels: int, hidden: int = 32, heads: int = 8, head_dim: int = 64) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv3d(channels, hidden, 3, padding=1), nn.SiLU(), zeroed(nn.Conv3d(hidden, channels, 3, padding=1))
        )
        self.norm = nn.LayerNorm(channels)
        self.attention = Attention(channels, heads=heads, dim_head=head_dim)
        self.out = zeroed(nn.Linear(channels, channels))

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        """Noisy latents (B, C, F, h, w) -> the same shape."""
        batch, _, _, height, width = latents.shape
        convolved = latents + self.conv(latents)
        pixels = convolved.permute(0, 3, 4, 2, 1).flatten(0, 2)  # (B h w, F, C)
        attended = self.out(self.attention(self.norm(pixels)))
        return convolved + attended.unflatten(0, (batch, height, width)).permute(0, 4, 3, 1, 2)


def zeroed(layer: nn.Module) -> nn.Module:
    """The layer with all its parameters at zero."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer
