"""Pseudo-3D layers: a layer of images and, after it, one over time that starts as the identity (Sections 2.3, 2.4).

Frames stand in the rows of a batch: (B F, …), the frames of a clip one after the other, as a UNet of images takes them.
"""

from dataclasses import dataclass

import torch
from diffusers.models.attention_processor import Attention
from diffusers.models.embeddings import SinusoidalPositionalEmbedding
from torch import nn

_TAPS = 3  # frames that a convolution over time sees


@dataclass
class FrameCount:
    """How many rows of a batch make a clip; one object for all layers of a network, which sets it."""

    frames: int = 1


class PseudoConv3d(nn.Module):
    """Conv_P3D(h) = Conv_1D(Conv_2D(h) ∘ T) ∘ T: the image model's convolution, then one over time (Section 2.3)."""

    def __init__(self, spatial: nn.Conv2d, count: FrameCount) -> None:
        super().__init__()
        self.spatial, self._count = spatial, count
        channels = spatial.out_channels
        self.temporal = nn.Conv1d(channels, channels, _TAPS, padding=_TAPS // 2)
        nn.init.dirac_(self.temporal.weight)
        nn.init.zeros_(self.temporal.bias)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """(B F, C, h, w) -> (B F, C', h', w')."""
        rows = self.spatial(rows)
        _, channels, height, width = rows.shape
        clips = rows.unflatten(0, (-1, self._count.frames)).permute(0, 3, 4, 2, 1)
        mixed = self.temporal(clips.reshape(-1, channels, self._count.frames))
        return mixed.view(-1, height, width, channels, self._count.frames).permute(0, 4, 3, 1, 2).flatten(0, 1)


class PseudoAttention3d(nn.Module):
    """ATTN_P3D(h) = unflatten(ATTN_1D(ATTN_2D(flatten(h)) ∘ T) ∘ T): the image model's self-attention, then attention
    between the frames at each place (Section 2.4), which is told apart by sinusoids and ends in zeros at first."""

    def __init__(self, spatial: Attention, count: FrameCount, heads: int, most_frames: int) -> None:
        super().__init__()
        self.spatial, self._count = spatial, count
        width = spatial.out_dim
        self.norm = nn.LayerNorm(width)
        self.position = SinusoidalPositionalEmbedding(width, most_frames)
        self.temporal = Attention(width, heads=heads, dim_head=width // heads)
        nn.init.zeros_(self.temporal.to_out[0].weight)
        nn.init.zeros_(self.temporal.to_out[0].bias)

    def forward(
        self,
        rows: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """(B F, places, C) -> the same; the other arguments are those of the attention of images."""
        rows = self.spatial(rows, encoder_hidden_states=encoder_hidden_states, attention_mask=attention_mask)
        _, places, width = rows.shape
        clips = rows.unflatten(0, (-1, self._count.frames)).transpose(1, 2).reshape(-1, self._count.frames, width)
        clips = clips + self.temporal(self.position(self.norm(clips)))
        return clips.view(-1, places, self._count.frames, width).transpose(1, 2).flatten(0, 1)


def inflate(unet: nn.Module, heads: int, most_frames: int) -> FrameCount:
    """Put a temporal layer behind every convolution and every self-attention of a UNet of images, in place.

    Args:
        heads: of the temporal attention. most_frames: as many as it can tell apart.
    """
    count = FrameCount()
    made: dict[nn.Module, nn.Module] = {}  # diffusers names some layers twice
    for parent in list(unet.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Conv2d):
                setattr(parent, name, made.setdefault(child, PseudoConv3d(child, count)))
            elif name == "attn1" and isinstance(child, Attention):
                setattr(parent, name, PseudoAttention3d(child, count, heads, most_frames))
    return count


def temporal_layers(unet: nn.Module) -> nn.ModuleList:
    """What `inflate` has put in."""
    convolutions = [module.temporal for module in unet.modules() if isinstance(module, PseudoConv3d)]
    attentions = [module for module in unet.modules() if isinstance(module, PseudoAttention3d)]
    return nn.ModuleList([*convolutions, *(part for one in attentions for part in (one.norm, one.temporal))])
