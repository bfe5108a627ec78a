"""train_decoder: D of Make-A-Video, an image from an image embedding of the dual encoder, in pixels.

Trained on single frames and their embeddings: no caption is read here either, the prior alone knows words.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from pipeline.config.cascade import DecoderSpec
from pipeline.config.embed import Embed
from pipeline.make_a_video import decoder
from pipeline.make_a_video.diffusion import noise_schedule
from pipeline.make_a_video.loading import save
from pipeline.make_a_video.pyramid import embeddings_of, joint_space
from pipeline.training.embedded import EmbeddedNoising, FrameSource, pixel_loss
from pipeline.training.pictures import Pictures, pictures
from pipeline.training.pixels import sheet, to_frames
from pipeline.training.stills import standing
from pipeline.training.task import Losses
from pipeline.training.unseen import mean_loss
from pipeline.training.validation import QUICK, VALIDATION_SEED, judged, noise_of_seeds
from pipeline.world.scene import FRAMES, HEIGHT, draw

STILL = ("colour", "shape", "texture", "size", "heading")  # what a single frame shows
_MIDDLE = (FRAMES // 2,)


class DecoderTask:
    """Predict v from noisy pixels and the image embedding."""

    def __init__(self, spec: DecoderSpec, seed: int, device: torch.device | str) -> None:
        torch.manual_seed(seed)
        self.spec, self.scheduler = spec, noise_schedule()
        self.space = joint_space(spec.clip, spec.text_tower)
        data, unseen = pictures(spec, seed, self.space, apart=1)
        width = data.image.shape[-1]
        self.model = decoder.build(spec.size, spec.channels, spec.heads, spec.token_width, width).to(device)
        self.source = self._source(data, seed)
        self.unseen = self._source(unseen, seed) if unseen else None

    def _source(self, data: Pictures, seed: int) -> FrameSource:
        return FrameSource(data, seed, self.spec.batch, self.spec.drop, self.scheduler.config.num_train_timesteps)

    def loss(self, model: nn.Module, batch: EmbeddedNoising) -> Losses:
        return Losses(
            pixel_loss(self.scheduler, batch, lambda noisy, t: decoder.predict_image(model, noisy, t, batch.image))
        )

    def validate(self, final: bool) -> dict[str, float]:
        """Shares of images that show what the frame shows whose embedding they are made of, by the judge, of unseen
        scenes; an image smaller than the toy world has its pixels repeated. Of a folder, the loss of what is not
        seen."""
        if self.unseen:
            return mean_loss(self, self.unseen, self.spec.batch)
        spec = self.spec
        names, scenes = draw(spec.validation_scenes if final else QUICK, VALIDATION_SEED)
        image = embeddings_of(scenes, spec.shading, spec.rendered, self.space, _MIDDLE)[:, 0].to(self.model.device)
        noise = noise_of_seeds(len(image), (3, spec.size, spec.size)).to(image.device)
        parts = zip(image.split(50), noise.split(50), strict=True)
        made = [decoder.images(self.model, self.scheduler, *part, spec.sampling_steps, spec.guidance) for part in parts]
        self._images = as_judged(to_frames(torch.cat(made)))
        return judged(names, standing(self._images), STILL)

    def picture(self) -> np.ndarray | None:
        """Forty validation images, eight a row."""
        return None if self.unseen else sheet(self._images)


def as_judged(frames: np.ndarray) -> np.ndarray:
    """Frames (…, S, S, 3) with their pixels repeated up to the toy world's size, where S is smaller."""
    times = max(HEIGHT // frames.shape[-2], 1)
    return frames.repeat(times, axis=-3).repeat(times, axis=-2)


def build_task(spec: DecoderSpec, _embed: Embed, seed: int, device: str) -> DecoderTask:
    """The task of params.yaml's train.decoder.spec."""
    return DecoderTask(spec, seed, device)


def export(task: DecoderTask, folder: Path) -> None:
    """Write UNet and scheduler, float16."""
    save(folder, task.model, task.scheduler)
