"""SR_t and SR_h, super-resolution: small frames -> larger ones (Section 2.1, Algorithm 2).

Both begin as networks of images: noisy large frames and the enlarged small ones, six channels. SR_t gets pseudo-3D
layers; SR_h has none, and starts all frames of a clip from the same noise.
"""

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch import nn
from torch.nn import functional as F

from pipeline.make_a_video.diffusion import denoise
from pipeline.make_a_video.video_unet import PseudoVideoUNet


def build(size: int, channels: list[int]) -> UNet2DConditionModel:
    """An untrained one of images (B, 6, size, size); convolutions alone, as unCLIP's, so that any size will do."""
    return UNet2DConditionModel(
        sample_size=size,
        in_channels=6,
        out_channels=3,
        layers_per_block=1,
        block_out_channels=tuple(channels),
        down_block_types=("DownBlock2D",) * len(channels),
        mid_block_type="UNetMidBlock2D",
        up_block_types=("UpBlock2D",) * len(channels),
        norm_num_groups=8,
    )


def enlarged(low: torch.Tensor, size: int) -> torch.Tensor:
    """Small frames (B, 3, s, s) in the pixels of large ones, (B, 3, size, size)."""
    return F.interpolate(low, (size, size), mode="bicubic", align_corners=False)


def enlarged_videos(low: torch.Tensor, size: int) -> torch.Tensor:
    """Small videos (B, 3, T, s, s) in the pixels of large ones, (B, 3, T, size, size)."""
    return enlarged(low.movedim(2, 1).flatten(0, 1), size).unflatten(0, (len(low), -1)).movedim(1, 2)


def with_low(noisy: torch.Tensor, low: torch.Tensor) -> torch.Tensor:
    """What the networks take: noisy frames (B, 3, …, S, S) and small ones (B, 3, …, s, s) -> (B, 6, …, S, S)."""
    size = noisy.shape[-1]
    if noisy.ndim == 4:
        return torch.cat([noisy, enlarged(low, size)], dim=1)
    return torch.cat([noisy, enlarged_videos(low, size)], dim=1)


def predict(unet: nn.Module, noisy: torch.Tensor, timestep: torch.Tensor, low: torch.Tensor) -> torch.Tensor:
    """What a network of images (four axes) or of videos (five) predicts of noisy frames, given the small ones."""
    if noisy.ndim == 4:
        return unet(with_low(noisy, low), timestep, None).sample
    return unet(with_low(noisy, low), timestep)


def upscaled_videos(
    unet: PseudoVideoUNet, scheduler: DDIMScheduler, low: torch.Tensor, noise: torch.Tensor, steps: int
) -> torch.Tensor:
    """SR_t: small videos (B, 3, T, s, s), noise (B, 3, T, S, S) -> large ones, about [-1, 1], as noise."""
    return denoise(lambda noisy, timestep: predict(unet, noisy, timestep, low), scheduler, noise, steps)


def upscaled_frames(
    unet: UNet2DConditionModel, scheduler: DDIMScheduler, low: torch.Tensor, noise: torch.Tensor, steps: int
) -> torch.Tensor:
    """SR_h: small videos (B, 3, T, s, s) -> large ones (B, 3, T, S, S), frame by frame, about [-1, 1].

    Args:
        noise: (B, 3, S, S), the same for every frame of a video, so that details are; or (B, 3, T, S, S), one for each.
    """
    if noise.ndim == 4:
        noise = noise[:, :, None].expand(-1, -1, low.shape[2], -1, -1)
    made = [
        denoise(lambda noisy, timestep, one=one: predict(unet, noisy, timestep, one), scheduler, drawn, steps)
        for one, drawn in zip(low.unbind(2), noise.unbind(2), strict=True)
    ]
    return torch.stack(made, dim=2)
