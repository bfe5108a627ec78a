"""train_autoencoder and train_on_grids@model: a diffusers `AutoencoderKL` on single frames or on grids of them (ETC,
Appendix H).

The toy world's own codec takes frames one by one; this one is there to see what a grid costs a codec that did not.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from diffusers import AutoencoderKL
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from torch import nn
from torch.nn import functional as F
from torchmetrics.functional.image import structural_similarity_index_measure

from pipeline.codec.loading import load_codec
from pipeline.config import paths
from pipeline.config.embed import Embed
from pipeline.config.specs import AutoencoderSpec
from pipeline.etc.grid import from_grid, side, to_grid
from pipeline.training.pixels import to_frames, to_model
from pipeline.training.task import WHOLE, Batch, Losses, Share, step_generator
from pipeline.training.validation import VALIDATION_SEED
from pipeline.world.render import render
from pipeline.world.scene import draw

NEAR = 2  # pixels on each side of a seam
FEW = 8  # clips of every validation but the last
_GROUPS = 4  # of 16 channels each group has four, as in the first block of Stable Diffusion's
_AT_ONCE = 4  # grids: SSIM holds ten times its input


def build(spec: AutoencoderSpec) -> AutoencoderKL:
    """An untrained autoencoder: images (B, 3, H, W) in [-1, 1] <-> latents (B, latent_channels, H / s, W / s), where s
    is 2 ** (number of blocks - 1)."""
    blocks = len(spec.block_out_channels)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * blocks,
        up_block_types=("UpDecoderBlock2D",) * blocks,
        block_out_channels=spec.block_out_channels,
        layers_per_block=spec.layers_per_block,
        latent_channels=spec.latent_channels,
        norm_num_groups=_GROUPS,
        scaling_factor=1.0,
    )


def begun(spec: AutoencoderSpec) -> AutoencoderKL:
    """The autoencoder before the first step: untrained, or with the weights of `starts_from`.

    Raises:
        ValueError: if these are of another codec, or of another size.
    """
    codec = build(spec)
    if spec.starts_from is None:
        return codec
    before = load_codec(spec.starts_from)
    if not isinstance(before, AutoencoderKL):
        raise ValueError(f"starts_from: {spec.starts_from} is a {type(before).__name__}, expected an AutoencoderKL")
    for key in ("block_out_channels", "layers_per_block", "latent_channels", "norm_num_groups"):
        found, wanted = (one.config[key] for one in (before, codec))
        if found != wanted:
            raise ValueError(f"starts_from: {spec.starts_from} has {key} {found}, expected {wanted} as in the spec")
    codec.load_state_dict(before.state_dict())
    return codec


def stitched(clips: torch.Tensor) -> torch.Tensor:
    """Clips uint8 (B, T, H, W, 3) -> grids (B, 3, √T H, √T W) in [-1, 1]."""
    return to_grid(to_model(clips).transpose(1, 2))


@dataclass(frozen=True)
class Images(Batch):
    """images (B, 3, H, W) in [-1, 1], and the standard normal noise (B, C, h, w) by which their latents are drawn."""

    images: torch.Tensor
    noise: torch.Tensor


@dataclass(frozen=True)
class ImageSource:
    """Draws `size` images of clips uint8 (N, T, H, W, 3): whole clips as grids, or single frames; and noise of
    `channels`, with `factor` pixels of a side for each."""

    clips: torch.Tensor
    grid: bool
    channels: int
    factor: int
    seed: int
    size: int

    def batch(self, step: int, share: Share = WHOLE) -> Images:
        generator = step_generator(self.seed, step)
        clip = torch.randint(len(self.clips), (self.size,), generator=generator)
        frame = torch.randint(self.clips.shape[1], (self.size,), generator=generator)
        images = stitched(self.clips[clip]) if self.grid else to_model(self.clips[clip, frame])
        height, width = (pixels // self.factor for pixels in images.shape[2:])
        noise = torch.randn((self.size, self.channels, height, width), generator=generator)
        return Images(images, noise).part(share)


def divergence(posterior: DiagonalGaussianDistribution) -> torch.Tensor:
    """Eq. 28 of each image, (B,): nats per latent, so that grids and single frames have one scale."""
    return posterior.kl() / posterior.mean[0].numel()


class Reconstruction(nn.Module):
    """The autoencoder as it is trained: there and back by latents that are drawn."""

    def __init__(self, codec: AutoencoderKL) -> None:
        super().__init__()
        self.codec = codec

    def forward(self, batch: Images) -> tuple[torch.Tensor, torch.Tensor]:
        """Decoded images (B, 3, H, W), and the divergence (B,) of their latents."""
        posterior = self.codec.encode(batch.images).latent_dist
        decoded = self.codec.decode(posterior.mean + posterior.std * batch.noise).sample
        return decoded, divergence(posterior)


class AutoencoderTask:
    """Reconstruct images: L_recon as the mean absolute error, log p(x|z) of a Laplace distribution but for constants
    (Eq. 27), and L_KL."""

    def __init__(self, spec: AutoencoderSpec, seed: int, device: torch.device | str) -> None:
        torch.manual_seed(seed)
        self.spec, self.device = spec, device
        self.codec = begun(spec).to(device)
        self.model = Reconstruction(self.codec)
        factor = 2 ** (len(spec.block_out_channels) - 1)
        seen, unseen = draw(spec.scenes, seed)[1], draw(spec.validation_scenes, VALIDATION_SEED)[1]
        clips = torch.from_numpy(render(seen, spec.shading))
        self.source = ImageSource(clips, spec.grid, spec.latent_channels, factor, seed, spec.batch)
        self.unseen = torch.from_numpy(render(unseen, spec.shading))

    def loss(self, model: nn.Module, batch: Images) -> Losses:
        decoded, spread = model(batch)
        recon = F.l1_loss(decoded, batch.images)
        if not self.spec.kl:
            return Losses(recon, {"recon": recon})
        parts = {"recon": recon, "kl": spread.mean()}
        return Losses(parts["recon"] + self.spec.kl * parts["kl"], parts)

    def validate(self, final: bool) -> dict[str, float]:
        """Means of `measured` over unseen clips."""
        self.table = measured(self.codec, self.unseen if final else self.unseen[:FEW], self.device)
        return self.table.mean().to_dict()

    def picture(self) -> np.ndarray:
        """Two unseen grids beside their reconstructions."""
        grids = stitched(self.unseen[:2]).to(self.device)
        pairs = torch.cat([grids, reconstructed(self.codec, grids)], dim=3)
        return to_frames(torch.cat(list(pairs), dim=1))


@torch.no_grad()
def measured(codec: AutoencoderKL, clips: torch.Tensor, device: torch.device | str = "cpu") -> pd.DataFrame:
    """What a codec leaves of clips uint8 (N, T, H, W, 3), T a square number.

    Returns:
        A row for each clip. ssim: of its grid, encoded and decoded as one image; ssim_seam, ssim_inside: mean of the
        same map within `NEAR` pixels of a seam, and elsewhere; apart, apart_seam: the same two of frames that were
        encoded and decoded one by one and laid out afterwards; kl: Eq. 28 of the grid, in nats per latent.
    """
    rows = []
    for part in clips.split(_AT_ONCE):
        grids, frames = stitched(part).to(device), part.shape[1]
        single = from_grid(grids, frames).transpose(1, 2)
        one_by_one = reconstructed(codec, single.flatten(0, 1)).unflatten(0, single.shape[:2]).transpose(1, 2)
        seam = near_seams(frames, *part.shape[2:4])
        together, apart = (similarity(images, grids) for images in (reconstructed(codec, grids), to_grid(one_by_one)))
        values = {
            "ssim": together.mean(dim=(1, 2)),
            "ssim_seam": together[:, seam].mean(dim=1),
            "ssim_inside": together[:, ~seam].mean(dim=1),
            "apart": apart.mean(dim=(1, 2)),
            "apart_seam": apart[:, seam].mean(dim=1),
            "kl": divergence(codec.encode(grids).latent_dist),
        }
        rows.append(pd.DataFrame({name: value.cpu().numpy() for name, value in values.items()}))
    return pd.concat(rows, ignore_index=True)


def reconstructed(codec: AutoencoderKL, images: torch.Tensor) -> torch.Tensor:
    """Images (B, 3, H, W) there and back by the means of their latents, within [-1, 1]."""
    return codec.decode(codec.encode(images).latent_dist.mean).sample.clamp(-1, 1)


def similarity(images: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """SSIM around each pixel of images (B, 3, H, W) in [-1, 1], (B, H, W): torchmetrics' Gaussian window, sigma 1.5."""
    pair = ((x + 1) / 2 for x in (images, wanted))
    _, maps = structural_similarity_index_measure(*pair, data_range=1.0, reduction="none", return_full_image=True)
    return maps.mean(dim=1)


def near_seams(frames: int, height: int, width: int) -> torch.Tensor:
    """Which pixels (√T h, √T w) of a grid of frames (h, w) lie within `NEAR` of a border between two."""
    tiles = side(frames)
    rows, columns = (_near_borders(tiles, pixels) for pixels in (height, width))
    return rows[:, None] | columns[None, :]


def _near_borders(tiles: int, pixels: int) -> torch.Tensor:
    place = torch.arange(tiles * pixels)
    borders = torch.arange(1, tiles) * pixels
    return ((place[:, None] >= borders - NEAR) & (place[:, None] < borders + NEAR)).any(dim=1)


def build_task(spec: AutoencoderSpec, _embed: Embed, seed: int, device: str) -> AutoencoderTask:
    """The task of an autoencoder's spec in params.yaml."""
    return AutoencoderTask(spec, seed, device)


def export(task: AutoencoderTask, folder: Path) -> None:
    """Write the autoencoder as a diffusers folder, float16, and what the last validation measured of each clip."""
    task.codec.half().save_pretrained(folder)
    task.table.to_csv(paths.similarities(folder), index_label="clip", float_format="%.6f")
