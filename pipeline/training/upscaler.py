"""train_upscaler: super-resolution of images, SR_h of Make-A-Video and what its SR_t starts from."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from pipeline.config.cascade import Enlarging, UpscalerSpec
from pipeline.config.embed import Embed
from pipeline.make_a_video import upscaling
from pipeline.make_a_video.diffusion import noise_schedule
from pipeline.make_a_video.loading import save
from pipeline.make_a_video.pyramid import clips_of, psnr, scaled, shrunk
from pipeline.training.enlarging import LargeSource, LowNoising, enlarging_loss
from pipeline.training.motion_source import spread
from pipeline.training.pictures import Clips, clips
from pipeline.training.pixels import strips, to_frames
from pipeline.training.task import Losses
from pipeline.training.validation import QUICK, VALIDATION_SEED, noise_of_seeds
from pipeline.world.scene import draw

EVENLY = 1.0  # of the timesteps: details are decided at every noise
_SHOWN = 4  # frames of every clip that validations enlarge


class UpscalerTask:
    """Predict v from noisy large frames and the small ones."""

    def __init__(self, spec: UpscalerSpec, seed: int, device: torch.device | str) -> None:
        torch.manual_seed(seed)
        self.spec, self.scheduler = spec, noise_schedule()
        self.model = upscaling.build(spec.size, spec.channels).to(device)
        data, self.unseen = clips(spec, seed)
        self.source = LargeSource(
            data.pixels,
            seed,
            spec.batch,
            None,
            spec.crop or spec.size,
            spec.size // spec.low,
            spec.low_noise,
            spread(self.scheduler, EVENLY),
        )

    def loss(self, model: nn.Module, batch: LowNoising) -> Losses:
        return Losses(enlarging_loss(self.scheduler, model, batch))

    def validate(self, final: bool) -> dict[str, float]:
        """PSNR in dB of enlarged frames of unseen clips against the true ones, beside bicubic interpolation's."""
        spec, device = self.spec, self.model.device
        true = unseen_clips(spec, self.unseen, spec.validation_scenes if final else QUICK)[:, :, :_SHOWN]
        low, noise = shrunk_clips(true, spec.low), noise_of_seeds(len(true), (3, spec.size, spec.size))
        parts = zip(low.split(20), noise.split(20), strict=True)
        steps = spec.sampling_steps
        made = [
            upscaling.upscaled_frames(self.model, self.scheduler, own.to(device), drawn.to(device), steps).cpu()
            for own, drawn in parts
        ]
        return self._compared(torch.cat(made), true, low)

    def _compared(self, made: torch.Tensor, true: torch.Tensor, low: torch.Tensor) -> dict[str, float]:
        self._clips = to_frames(made.movedim(2, 1))
        bicubic = upscaling.enlarged_videos(low, self.spec.size)
        return {"psnr": psnr(made, true), "bicubic_psnr": psnr(bicubic, true)}

    def picture(self) -> np.ndarray:
        """Ten validation clips, one a row, every second frame."""
        return strips(self._clips)


def unseen_clips(spec: Enlarging, kept: Clips | None, n: int) -> torch.Tensor:
    """(n, 3, T, size, size), in [-1, 1]: what was kept of a folder, or scenes that no training draws."""
    if kept is not None:
        return scaled(kept.pixels).movedim(2, 1)
    _, scenes = draw(n, VALIDATION_SEED)
    return scaled(clips_of(scenes, spec.shading, spec.rendered, spec.size)).movedim(2, 1)


def shrunk_clips(large: torch.Tensor, size: int) -> torch.Tensor:
    """Large clips (N, 3, T, S, S) as small ones (N, 3, T, size, size)."""
    return shrunk(large.movedim(2, 1), size).movedim(1, 2)


def build_task(spec: UpscalerSpec, _embed: Embed, seed: int, device: str) -> UpscalerTask:
    """The task of a network's spec in params.yaml."""
    return UpscalerTask(spec, seed, device)


def export(task: UpscalerTask, folder: Path) -> None:
    """Write network and scheduler, float16."""
    save(folder, task.model, task.scheduler)
