"""train_codec: a `ColourCodec` for single 32 x 32 frames, latents at 8 x 8.

It learns from the whole continuous space of single objects (pipeline/world/continuum.py), as a public autoencoder has
seen all images; the generators on top of it never see a mixture.
"""

from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torchmetrics.functional.image import peak_signal_noise_ratio

from pipeline.codec.network import COLOURS as COLOUR_CHANNELS
from pipeline.codec.network import ColourCodec
from pipeline.config.embed import Embed
from pipeline.config.specs import CodecSpec
from pipeline.training.pixels import to_frames, to_model
from pipeline.training.task import WHOLE, Batch, Losses, Share, step_generator
from pipeline.training.validation import judged
from pipeline.world.continuum import draw_any, draw_shadings
from pipeline.world.judge import hue_difference, judge
from pipeline.world.render import render
from pipeline.world.scene import ATTRIBUTES, COLOURS, HEIGHT, Scenes, draw

VALIDATION_SEED = 1_000_001  # scenes that no training seed draws
PATCH = 4  # pixels per latent
FEW = 8  # scenes of every validation but the last


def build(spec: CodecSpec) -> ColourCodec:
    """An untrained codec: frames (B, 3, 32, 32) in [-1, 1] <-> latents (B, latent_channels, 8, 8)."""
    levels = PATCH.bit_length()
    return ColourCodec(spec.latent_channels, (spec.width,) * levels, spec.layers)


@dataclass(frozen=True)
class Frames(Batch):
    """images (B, 3, H, W) in [-1, 1]; the same frames of the same objects in other colours; and the noise (B, C, h, w)
    of their latents, of a standard deviation that is uniform in [0, 1] over the frames."""

    images: torch.Tensor
    recoloured: torch.Tensor
    noise: torch.Tensor


@dataclass(frozen=True)
class FrameSource:
    """Draws `size` frames of clips (N, T, H, W, 3) and of the same in other colours, and noise of the latents' shape
    (C, h, w)."""

    clips: torch.Tensor
    recoloured: torch.Tensor
    latent: tuple[int, int, int]
    seed: int
    size: int

    def batch(self, step: int, share: Share = WHOLE) -> Frames:
        generator = step_generator(self.seed, step)
        scene = torch.randint(len(self.clips), (self.size,), generator=generator)
        frame = torch.randint(self.clips.shape[1], (self.size,), generator=generator)
        noise = torch.randn((self.size, *self.latent), generator=generator)
        amount = torch.rand((self.size, 1, 1, 1), generator=generator)
        pair = (to_model(clips[scene, frame]) for clips in (self.clips, self.recoloured))
        return Frames(*pair, noise * amount).part(share)


class Reconstruction(nn.Module):
    """The codec as it is trained: there and back by noisy latents, and the structure of both colourings."""

    def __init__(self, codec: ColourCodec, spec: CodecSpec) -> None:
        super().__init__()
        self.codec, self.spec = codec, spec

    def forward(self, batch: Frames) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Decoded images (B, 3, H, W), and two structures (B, C - 3, h, w)."""
        colours, structure = self.codec.colours(batch.images), self.codec.structure(batch.images)
        noise = batch.noise[:, :COLOUR_CHANNELS], batch.noise[:, COLOUR_CHANNELS:]
        decoded = self.codec.compose(
            colours + self.spec.colour_noise * noise[0], structure + self.spec.structure_noise * noise[1]
        )
        return decoded, structure, self.codec.structure(batch.recoloured)


class CodecTask:
    """Reconstruct frames: mean absolute and mean squared error; a structure that knows no colour and stays small."""

    def __init__(self, spec: CodecSpec, seed: int, device: torch.device | str) -> None:
        torch.manual_seed(seed)
        self.spec, self.device = spec, device
        self.codec = build(spec).to(device)
        self.model = Reconstruction(self.codec, spec)
        side, scenes = HEIGHT // PATCH, draw_any(spec.scenes, seed)
        other = replace(scenes, rgb=np.roll(scenes.rgb, 1, axis=0))
        clips = (torch.from_numpy(render(some, draw_shadings(len(some), seed))) for some in (scenes, other))
        self.source = FrameSource(*clips, (spec.latent_channels, side, side), seed, spec.batch)
        self.names, self.scenes = draw(spec.validation_scenes, VALIDATION_SEED)
        self.unseen = torch.from_numpy(render(self.scenes))

    def loss(self, model: nn.Module, batch: Frames) -> Losses:
        decoded, structure, other = model(batch)
        parts = {
            "l1": F.l1_loss(decoded, batch.images),
            "mse": F.mse_loss(decoded, batch.images),
            "free": F.mse_loss(structure, other),
            "size": structure.square().mean(),
        }
        total = parts["l1"] + parts["mse"] + self.spec.free * parts["free"] + self.spec.size * parts["size"]
        return Losses(total, parts)

    def validate(self, final: bool) -> dict[str, float]:
        """On unseen named scenes: PSNR, what the judge names right in decoded clips, and `hue_error`, see below."""
        n = len(self.unseen) if final else FEW
        clips = self.unseen[:n]
        self.codec.fit_scale(to_model(clips[:, ::4].flatten(0, 1)).to(self.device))
        decoded = torch.cat([self._reconstruct(clip) for clip in clips])
        target = to_model(clips.flatten(0, 1)).to(self.device)
        psnr = peak_signal_noise_ratio((decoded + 1) / 2, (target + 1) / 2, data_range=1.0)
        shares = judged(self.names[:n], to_frames(decoded).reshape(clips.shape), ATTRIBUTES)
        return {"psnr_db": float(psnr)} | shares | {"hue_error": self.hue_error(self.scenes[:n])}

    def hue_error(self, scenes: Scenes) -> float:
        """Degrees between the hue of the decoded mean of two latents and that of the mean of the two frames, objects
        that differ in colour alone: the median over plain scenes, of the worst pair of colours."""
        plain = replace(scenes, contrast=np.zeros(len(scenes)))
        frames = {
            name: to_model(render(replace(plain, rgb=np.tile(rgb, (len(scenes), 1))))[:, 7]).to(self.device)
            for name, rgb in COLOURS.items()
        }
        return max(self._hue_error(frames[a], frames[b]) for a, b in combinations(COLOURS, 2))

    def _hue_error(self, a: torch.Tensor, b: torch.Tensor) -> float:
        halfway = (self.codec.encode(a).latent_dist.mean + self.codec.encode(b).latent_dist.mean) / 2
        pictures = [to_frames(x)[:, None] for x in (self.codec.decode(halfway).sample, (a + b) / 2)]
        mixed, wanted = (judge(np.repeat(picture, 2, axis=1)).hue for picture in pictures)
        return float(np.nanmedian(np.abs(hue_difference(mixed, wanted))))

    def picture(self) -> np.ndarray:
        """Eight unseen frames above their reconstructions."""
        frames = self.unseen[:8, 7]
        decoded = torch.from_numpy(to_frames(self._reconstruct(frames)))
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
