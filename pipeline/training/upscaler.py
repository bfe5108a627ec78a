"""train_upscaler: super-resolution of images, SR_h of Make-A-Video and what its SR_t starts from."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from pipeline.config.cascade import UpscalerSpec
from pipeline.config.embed import Embed
from pipeline.make_a_video import upscaling
from pipeline.make_a_video.diffusion import noise_schedule
from pipeline.make_a_video.loading import save
from pipeline.training.enlarging import EVENLY, LargeSource, LowNoising, beside_bicubic, enlarging_loss
from pipeline.training.motion_source import spread
from pipeline.training.pictures import clips
from pipeline.training.pixels import strips
from pipeline.training.task import Losses

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
        self._clips, found = beside_bicubic(self.spec, self.unseen, final, self._enlarge, alone=_SHOWN)
        return found

    def _enlarge(self, low: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        device, steps = self.model.device, self.spec.sampling_steps
        return upscaling.upscaled_frames(self.model, self.scheduler, low.to(device), noise.to(device), steps).cpu()

    def picture(self) -> np.ndarray:
        """Ten validation clips, one a row, every second frame."""
        return strips(self._clips)


def build_task(spec: UpscalerSpec, _embed: Embed, seed: int, device: str) -> UpscalerTask:
    """The task of a network's spec in params.yaml."""
    return UpscalerTask(spec, seed, device)


def export(task: UpscalerTask, folder: Path) -> None:
    """Write network and scheduler, float16."""
    save(folder, task.model, task.scheduler)
