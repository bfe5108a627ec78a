"""train@codec: a small diffusers `AutoencoderKL` for single 32 x 32 frames, 8 latent channels at 8 x 8.

Half of what it sees are frames of the world, half are patterns: Voronoi cells of random colours. Like the public video
codecs that it stands for it knows all colours, not only the four that objects have in training; no object of a mixture
value is shown. Blends of two pictures must have the blend of their latents: a linear codec, so that what lies between
two latents decodes to what lies between the two pictures. A codec that is free to bend decodes the mean of a red and a
blue circle to any colour that it knows.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch.nn import functional as F
from torchmetrics.functional.image import peak_signal_noise_ratio

from pipeline.training.loop import step_generator
from pipeline.world.render import render
from pipeline.world.scene import draw

VALIDATION_SEED = 1_000_001  # scenes that no training seed draws


@dataclass(frozen=True)
class CodecSpec:
    """Architecture and objective. `kl` weighs the divergence of the latents from N(0, I), `linear` the squared distance
    of a blend's latents from the blend of the latents; `batch` counts frames and patterns, half each."""

    channels: list[int]
    latent_channels: int
    kl: float
    linear: float
    batch: int
    scenes: int
    validation_scenes: int


def build(spec: CodecSpec) -> AutoencoderKL:
    """An untrained codec: frames (B, 3, 32, 32) in [-1, 1] <-> latents (B, latent_channels, 8, 8)."""
    depth = len(spec.channels)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * depth,
        up_block_types=("UpDecoderBlock2D",) * depth,
        block_out_channels=tuple(spec.channels),
        layers_per_block=1,
        latent_channels=spec.latent_channels,
        norm_num_groups=8,
        sample_size=32,
        mid_block_add_attention=False,
    )


def to_model(frames: np.ndarray | torch.Tensor) -> torch.Tensor:
    """uint8 frames (..., H, W, 3) -> float (..., 3, H, W) in [-1, 1]."""
    return torch.as_tensor(frames).movedim(-1, -3).float() / 127.5 - 1


def patterns(n: int, generator: torch.Generator, cells: int = 5) -> torch.Tensor:
    """n pictures (n, 3, 32, 32) in [-1, 1] of Voronoi cells, each of one random colour."""
    centres = torch.rand(n, cells, 2, generator=generator) * 32
    colours = torch.rand(n, cells, 3, generator=generator) * 2 - 1
    axis = torch.arange(32) + 0.5
    pixels = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1).flatten(0, 1)
    nearest = torch.cdist(pixels.expand(n, -1, -1), centres).argmin(dim=-1)
    return colours.gather(1, nearest[..., None].expand(-1, -1, 3)).movedim(-1, 1).unflatten(-1, (32, 32))


def blend(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The first half of a batch over the second: weight · x[:n] + (1 - weight) · x[n:]."""
    first, second = x.chunk(2)
    return weight * first + (1 - weight) * second


class CodecTask:
    """Reconstruct frames, patterns and blends: absolute and squared error, divergence, non-linearity."""

    def __init__(self, spec: CodecSpec, seed: int, device: torch.device | str) -> None:
        torch.manual_seed(seed)
        self.spec, self.seed, self.device = spec, seed, device
        self.model = build(spec).to(device)
        self.clips = torch.from_numpy(render(draw(spec.scenes, seed)[1]))
        self.unseen = torch.from_numpy(render(draw(spec.validation_scenes, VALIDATION_SEED)[1]))

    def loss(self, step: int) -> torch.Tensor:
        generator = step_generator(self.seed, step)
        half = self.spec.batch // 2
        scene = torch.randint(len(self.clips), (half,), generator=generator)
        frame = torch.randint(self.clips.shape[1], (half,), generator=generator)
        pictures = torch.cat([to_model(self.clips[scene, frame]), patterns(half, generator)])
        pictures = pictures[torch.randperm(self.spec.batch, generator=generator)]
        weight = torch.rand(half, 1, 1, 1, generator=generator)
        images = torch.cat([pictures, blend(pictures, weight)]).to(self.device)
        posterior = self.model.encode(images).latent_dist
        noise = torch.randn(posterior.mean.shape, generator=generator).to(self.device)
        decoded = self.model.decode(posterior.mean + posterior.std * noise).sample
        error = F.l1_loss(decoded, images) + F.mse_loss(decoded, images)
        own, blended = posterior.mean.split([self.spec.batch, half])
        bend = F.mse_loss(blended, blend(own, weight.to(self.device)))
        return error + self.spec.kl * posterior.kl().mean() + self.spec.linear * bend

    def validate(self, final: bool) -> dict[str, float]:
        clips = self.unseen if final else self.unseen[:8]
        decoded = torch.cat([self._reconstruct(clip) for clip in clips])
        target = to_model(clips.flatten(0, 1)).to(self.device)
        latents = torch.cat([self.model.encode(to_model(clip).to(self.device)).latent_dist.mean for clip in clips])
        self.model.register_to_config(scaling_factor=float(1 / latents.std()))
        psnr = peak_signal_noise_ratio((decoded + 1) / 2, (target + 1) / 2, data_range=1.0)
        return {"psnr_db": float(psnr), "latent_std": float(latents.std())}

    def picture(self) -> np.ndarray:
        """Eight unseen frames above their reconstructions."""
        frames = self.unseen[:8, 7]
        decoded = ((self._reconstruct(frames).movedim(1, -1).clamp(-1, 1) + 1) * 127.5).round().byte().cpu()
        return torch.cat([torch.cat(list(frames), 1), torch.cat(list(decoded), 1)], 0).numpy()

    def _reconstruct(self, frames: torch.Tensor) -> torch.Tensor:
        latents = self.model.encode(to_model(frames).to(self.device)).latent_dist.mean
        return self.model.decode(latents).sample


def build_task(spec: dict[str, Any], seed: int, device: str) -> CodecTask:
    """The task of params.yaml's train.codec.spec."""
    return CodecTask(CodecSpec(**spec), seed, device)


def export(task: CodecTask, folder: Path) -> None:
    """Write the codec as a diffusers folder, float16."""
    task.model.half().save_pretrained(folder)
