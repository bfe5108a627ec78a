"""train_codec: a small diffusers `AutoencoderKL` for single 32 x 32 frames, 8 latent channels at 8 x 8."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import nn
from torch.nn import functional as F
from torchmetrics.functional.image import peak_signal_noise_ratio

from pipeline.config.embed import Embed
from pipeline.config.train import CodecSpec
from pipeline.training.pixels import to_model
from pipeline.training.task import WHOLE, Batch, Losses, Share, step_generator
from pipeline.world.render import render
from pipeline.world.scene import HEIGHT, draw

VALIDATION_SEED = 1_000_001  # scenes that no training seed draws


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


@dataclass(frozen=True)
class Frames(Batch):
    """images (B, 3, H, W) in [-1, 1], and the noise (B, C, h, w) of their latents."""

    images: torch.Tensor
    noise: torch.Tensor


@dataclass(frozen=True)
class FrameSource:
    """Draws `size` frames of clips (N, T, H, W, 3), and noise of the latents' shape (C, h, w)."""

    clips: torch.Tensor
    latent: tuple[int, int, int]
    seed: int
    size: int

    def batch(self, step: int, share: Share = WHOLE) -> Frames:
        generator = step_generator(self.seed, step)
        scene = torch.randint(len(self.clips), (self.size,), generator=generator)
        frame = torch.randint(self.clips.shape[1], (self.size,), generator=generator)
        noise = torch.randn((self.size, *self.latent), generator=generator)
        return Frames(to_model(self.clips[scene, frame]), noise).part(share)


class Reconstruction(nn.Module):
    """The codec as it is trained: there and back by a latent that the noise draws."""

    def __init__(self, codec: AutoencoderKL) -> None:
        super().__init__()
        self.codec = codec

    def forward(self, images: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Decoded images (B, 3, H, W), and the divergence (B,) of each latent from N(0, I)."""
        posterior = self.codec.encode(images).latent_dist
        return self.codec.decode(posterior.mean + posterior.std * noise).sample, posterior.kl()


class CodecTask:
    """Reconstruct frames: mean absolute error + mean squared error + a little divergence."""

    def __init__(self, spec: CodecSpec, seed: int, device: torch.device | str) -> None:
        torch.manual_seed(seed)
        self.spec, self.device = spec, device
        self.codec = build(spec).to(device)
        self.model = Reconstruction(self.codec)
        side = HEIGHT // 2 ** (len(spec.channels) - 1)
        clips = torch.from_numpy(render(draw(spec.scenes, seed)[1]))
        self.source = FrameSource(clips, (spec.latent_channels, side, side), seed, spec.batch)
        self.unseen = torch.from_numpy(render(draw(spec.validation_scenes, VALIDATION_SEED)[1]))

    def loss(self, model: nn.Module, batch: Frames) -> Losses:
        decoded, divergence = model(batch.images, batch.noise)
        parts = {
            "l1": F.l1_loss(decoded, batch.images),
            "mse": F.mse_loss(decoded, batch.images),
            "kl": divergence.mean(),
        }
        return Losses(parts["l1"] + parts["mse"] + self.spec.kl * parts["kl"], parts)

    def validate(self, final: bool) -> dict[str, float]:
        clips = self.unseen if final else self.unseen[:8]
        decoded = torch.cat([self._reconstruct(clip) for clip in clips])
        target = to_model(clips.flatten(0, 1)).to(self.device)
        latents = torch.cat([self.codec.encode(to_model(clip).to(self.device)).latent_dist.mean for clip in clips])
        self.codec.register_to_config(scaling_factor=float(1 / latents.std()))
        psnr = peak_signal_noise_ratio((decoded + 1) / 2, (target + 1) / 2, data_range=1.0)
        return {"psnr_db": float(psnr), "latent_std": float(latents.std())}

    def picture(self) -> np.ndarray:
        """Eight unseen frames above their reconstructions."""
        frames = self.unseen[:8, 7]
        decoded = ((self._reconstruct(frames).movedim(1, -1).clamp(-1, 1) + 1) * 127.5).round().byte().cpu()
        return torch.cat([torch.cat(list(frames), 1), torch.cat(list(decoded), 1)], 0).numpy()

    def _reconstruct(self, frames: torch.Tensor) -> torch.Tensor:
        latents = self.codec.encode(to_model(frames).to(self.device)).latent_dist.mean
        return self.codec.decode(latents).sample


def build_task(spec: CodecSpec, _embed: Embed, seed: int, device: str) -> CodecTask:
    """The task of params.yaml's train.codec.spec."""
    return CodecTask(spec, seed, device)


def export(task: CodecTask, folder: Path) -> None:
    """Write the codec as a diffusers folder, float16."""
    task.codec.half().save_pretrained(folder)
