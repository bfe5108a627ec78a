"""train_video_upscaler: SR_t of Make-A-Video, layers over time in a super-resolution of images, on videos without
captions."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from pipeline.config.cascade import VideoUpscalerSpec
from pipeline.config.embed import Embed
from pipeline.make_a_video import upscaling
from pipeline.make_a_video.loading import WITH_LOW, load_images, save
from pipeline.make_a_video.video_unet import PseudoVideoUNet
from pipeline.training.enlarging import EVENLY, LargeSource, LowNoising, beside_bicubic, enlarging_loss
from pipeline.training.motion_source import spread
from pipeline.training.pictures import clips
from pipeline.training.pixels import strips
from pipeline.training.task import Losses
from pipeline.weights.checkpoints import resolve

_NO_ATTENTION = 1  # heads of what there is none of: its images have none either


class VideoUpscalerTask:
    """Predict v from noisy large videos and the small ones; the layers of images stay as they are."""

    def __init__(self, spec: VideoUpscalerSpec, seed: int, device: torch.device | str) -> None:
        torch.manual_seed(seed)
        self.spec = spec
        images, self.scheduler = load_images(resolve(spec.checkpoint), WITH_LOW)
        self.model = PseudoVideoUNet.of(images, _NO_ATTENTION, spec.frames, rated=False).to(device)
        self.model.requires_grad_(False)
        self.model.temporal.requires_grad_(True)
        data, self.unseen = clips(spec, seed)
        times, timesteps = spec.size // spec.low, spread(self.scheduler, EVENLY)
        size, noise = spec.size, spec.low_noise
        self.source = LargeSource(data.pixels, seed, spec.batch, spec.learnt, size, times, noise, timesteps)

    def loss(self, model: nn.Module, batch: LowNoising) -> Losses:
        return Losses(enlarging_loss(self.scheduler, model, batch))

    def validate(self, final: bool) -> dict[str, float]:
        """PSNR in dB of enlarged unseen clips against the true ones, beside bicubic interpolation's."""
        self._clips, found = beside_bicubic(self.spec, self.unseen, final, self._enlarge)
        return found

    def _enlarge(self, low: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        device, steps = self.model.device, self.spec.sampling_steps
        return upscaling.upscaled_videos(self.model, self.scheduler, low.to(device), noise.to(device), steps).cpu()

    def picture(self) -> np.ndarray:
        """Ten validation clips, one a row, every second frame."""
        return strips(self._clips)


def build_task(spec: VideoUpscalerSpec, _embed: Embed, seed: int, device: str) -> VideoUpscalerTask:
    """The task of params.yaml's train.video_upscaler.spec, on the trained network of images."""
    return VideoUpscalerTask(spec, seed, device)


def export(task: VideoUpscalerTask, folder: Path) -> None:
    """Write the whole network and its scheduler, float16."""
    save(folder, task.model, task.scheduler)
