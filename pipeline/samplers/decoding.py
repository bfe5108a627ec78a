"""Latents -> frames, by the codec of a model."""

import torch

from pipeline.codec.loading import Codec

_DECODED = 16  # frames at once: at 512 x 512 pixels a decoder needs gigabytes for them


def scale_factor(codec: Codec) -> int:
    """Pixels per latent."""
    return 2 ** (len(codec.config.block_out_channels) - 1)


def decode(codec: Codec, latents: torch.Tensor) -> torch.Tensor:
    """Scaled latents (B, F, C, h, w) -> frames (B, F, 3, H, W), about [0, 1], frame by frame."""
    scaled = latents.flatten(0, 1) / codec.config.scaling_factor
    frames = torch.cat([codec.decode(part).sample for part in scaled.split(_DECODED)])
    return (frames.unflatten(0, latents.shape[:2]) + 1) / 2


def to_clips(video: torch.Tensor) -> torch.Tensor:
    """Frames (B, T, 3, H, W), about [0, 1] -> uint8 clips (B, T, H, W, 3) on the CPU."""
    return (video.clamp(0, 1) * 255).round().byte().movedim(2, -1).cpu()
