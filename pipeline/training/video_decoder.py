"""train_video_decoder: D_t of Make-A-Video, D with layers over time, on videos without captions."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from pipeline.config.cascade import VideoDecoderSpec
from pipeline.config.embed import Embed
from pipeline.make_a_video import decoder
from pipeline.make_a_video.loading import RGB, load_images, save
from pipeline.make_a_video.pyramid import embeddings_of, joint_space
from pipeline.make_a_video.video_unet import PseudoVideoUNet
from pipeline.training.decoder import as_judged
from pipeline.training.embedded import pixel_loss
from pipeline.training.motion_source import spread
from pipeline.training.pictures import Pictures, pictures
from pipeline.training.pixels import strips, to_frames
from pipeline.training.task import Losses
from pipeline.training.unlabelled import RatedNoising, SkippingSource
from pipeline.training.unseen import mean_loss
from pipeline.training.validation import QUICK, VALIDATION_SEED, judged, noise_of_seeds
from pipeline.weights.checkpoints import resolve
from pipeline.world.scene import FPS, FRAMES, draw

SHOWN = ("colour", "shape", "texture", "size", "motion", "heading")


class VideoDecoderTask:
    """Predict v from noisy videos, the embedding of one of their frames and their frame rate."""

    def __init__(self, spec: VideoDecoderSpec, seed: int, device: torch.device | str) -> None:
        torch.manual_seed(seed)
        self.spec, self.space = spec, joint_space(spec.clip, spec.text_tower)
        images, self.scheduler = load_images(resolve(spec.checkpoint), RGB)
        self.model = PseudoVideoUNet.of(images, spec.heads, spec.most_frames, rated=True).to(device)
        if spec.layers == "temporal":
            self.model.requires_grad_(False)
            self.model.temporal.requires_grad_(True)
        data, unseen = pictures(spec, seed, self.space, (spec.frames - 1) * min(spec.skips))
        self.source = self._source(data, seed)
        self.unseen = self._source(unseen, seed) if unseen else None

    def _source(self, data: Pictures, seed: int) -> SkippingSource:
        spec = self.spec
        timesteps = spread(self.scheduler, spec.timestep_power)
        return SkippingSource(data, seed, spec.batch, spec.frames, tuple(spec.skips), spec.drop, timesteps)

    def loss(self, model: nn.Module, batch: RatedNoising) -> Losses:
        return Losses(pixel_loss(self.scheduler, batch, lambda noisy, t: model(noisy, t, batch.image, batch.fps)))

    def validate(self, final: bool) -> dict[str, float]:
        """Shares of clips that show what the clip shows of whose middle frame they have the embedding, by the judge; at
        the lowest frame rate of the training, each frame standing for as long as it lasts in the toy world. Of a
        folder, the loss of what is not seen."""
        if self.unseen:
            return mean_loss(self, self.unseen, self.spec.batch)
        spec, skip = self.spec, max(self.spec.skips)
        names, scenes = draw(spec.validation_scenes if final else QUICK, VALIDATION_SEED)
        middle = (FRAMES // 2,)
        image = embeddings_of(scenes, spec.shading, spec.rendered, self.space, middle)[:, 0].to(self.model.device)
        noise = noise_of_seeds(len(image), (3, spec.frames, spec.size, spec.size)).to(image.device)
        made = [
            decoder.videos(self.model, self.scheduler, *part, FPS / skip, spec.sampling_steps, spec.guidance)
            for part in zip(image.split(20), noise.split(20), strict=True)
        ]
        clips = to_frames(torch.cat(made).movedim(2, 1))
        self._clips = as_judged(clips).repeat(skip, axis=1)
        return judged(names, self._clips, SHOWN)

    def picture(self) -> np.ndarray | None:
        """Ten validation clips, one a row, every second frame."""
        return None if self.unseen else strips(self._clips)


def build_task(spec: VideoDecoderSpec, _embed: Embed, seed: int, device: str) -> VideoDecoderTask:
    """The task of params.yaml's train.video_decoder.spec, on the trained decoder."""
    return VideoDecoderTask(spec, seed, device)


def export(task: VideoDecoderTask, folder: Path) -> None:
    """Write the whole network and its scheduler, float16."""
    save(folder, task.model, task.scheduler)
