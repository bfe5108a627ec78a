"""train_etc@variant: a text-to-image UNet that learns videos as grids of their frames (ETC), all of its layers, and the
baseline with temporal attention. One file for all variants: they differ in their spec alone, and batches in nothing.
"""

from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from torch import nn

from pipeline.config.embed import Embed
from pipeline.config.specs import EtcSpec
from pipeline.etc.unet import GridUNet, TemporalUNet, load_rated
from pipeline.harivo.unet import inflate
from pipeline.samplers import grid
from pipeline.samplers.grid import GridModel
from pipeline.samplers.guidance import Guidance
from pipeline.training.collection import of_world
from pipeline.training.denoising import denoising_loss
from pipeline.training.latents import CaptionedLatents, CaptionEncoder, encode_clips
from pipeline.training.motion_source import spread
from pipeline.training.on_images import images_of
from pipeline.training.pixels import strips
from pipeline.training.rated_videos import sources_of
from pipeline.training.task import Losses, Share
from pipeline.training.triple import GridBatch, Stills, TripleSource
from pipeline.training.validation import QUICK, noise_of_seeds, unseen_prompts
from pipeline.training.video_validation import judged_videos
from pipeline.training.videos import check_size
from pipeline.weights.checkpoints import resolve
from pipeline.world.scene import FPS


class EtcTask:
    """Denoise videos at many frame rates."""

    def __init__(self, spec: EtcSpec, encoder: CaptionEncoder, seed: int) -> None:
        self.spec, images = spec, images_of(spec)
        torch.manual_seed(seed)
        self.scheduler, self.codec = images.scheduler, images.codec.requires_grad_(False)
        device = images.unet.device
        if spec.videos:
            check_size(spec.videos, images, spec.checkpoint)
        self.source, self.unseen = self._sources(encoder, seed, device)
        self.data = self.source.data
        self.model = self._model(images.unet).to(device)
        if spec.recompute:
            self.model.unet.enable_gradient_checkpointing()

    def _model(self, unet: UNet2DConditionModel) -> GridUNet | TemporalUNet:
        """What is trained: on the text-to-image UNet, or a video model that was trained on it before.

        Raises:
            ValueError: if that one arranges frames in another way than the specification says.
        """
        if self.spec.starts_from:
            return self._trained_before(self.spec.starts_from)
        unet = unet.train().requires_grad_(True)
        if self.spec.frames == "grid":
            return GridUNet.of(unet, self.spec.mixed)
        return TemporalUNet.of(inflate(unet, self.data.latents.shape[1], self.spec.heads))

    def _trained_before(self, folder: str) -> GridUNet | TemporalUNet:
        model = load_rated(resolve(folder)).train().requires_grad_(True)
        found, spec = model.arrangement, self.spec
        if found["frames"] != spec.frames or found.get("mixed", False) != spec.mixed:
            said = f"expected frames: {spec.frames}, mixed: {str(spec.mixed).lower()} as in the specification"
            raise ValueError(f"starts_from: {folder} is {found}, {said}")
        return model

    def _sources(
        self, encoder: CaptionEncoder, seed: int, device: torch.device
    ) -> tuple[TripleSource, TripleSource | None]:
        """What is trained on, and of a folder the videos that are not."""
        if self.spec.videos is None:
            return self._of_world(encoder, seed, device), None
        timesteps = spread(self.scheduler, self.spec.timestep_power)
        return sources_of(self.spec, self.codec, encoder, seed, timesteps, device)

    def _of_world(self, encoder: CaptionEncoder, seed: int, device: torch.device) -> TripleSource:
        spec, clips = self.spec, of_world(self.spec, seed)
        latents = encode_clips(self.codec, clips.clips, device)
        data = CaptionedLatents(latents, clips.captions, encoder, clips.known)
        return TripleSource(
            data,
            torch.from_numpy(clips.rates),
            Stills.middles(data, clips.labels),
            spec.shares,
            seed,
            spec.batch,
            spread(self.scheduler, spec.timestep_power),
            spec.drop,
        )

    def loss(self, model: nn.Module, batch: GridBatch) -> Losses:
        """L_simple in the text-to-image model's own parametrisation."""
        return Losses(
            denoising_loss(
                self.scheduler, batch, lambda noisy, timestep, text: model(noisy, timestep, text, batch.fps).sample
            )
        )

    def validate(self, final: bool) -> dict[str, float]:
        """Table A2's attributes of HARIVO, the heading, colours and shapes, on clips of unseen prompts at the toy
        world's own frame rate, by the judge; of videos from a folder, which it cannot judge, the loss of those that
        were kept from training."""
        if self.unseen:
            return self._validate_videos(self.unseen)
        names, texts = unseen_prompts(self.spec.validation_prompts if final else QUICK, self.data.known)
        self._clips = self._sample(texts)
        return judged_videos(names, texts, self._clips)

    def _validate_videos(self, unseen: TripleSource, draws: int = 8) -> dict[str, float]:
        """Mean loss of the same batches, timesteps and noise whenever it is asked for; a row at a time, as the clips
        of their captions are sampled, because a grid of Stable Diffusion's size is large."""
        device, losses = self.model.unet.device, []
        for batch in (unseen.batch(-1 - i) for i in range(draws)):
            rows = (batch.part(Share(i, self.spec.batch)).to(device) for i in range(self.spec.batch))
            losses += [self.loss(self.model, row).total for row in rows]
        self._clips = self._sample(unseen.data.captions[: self.spec.validation_prompts], batch=1)
        return {"validation_loss": float(torch.stack(losses).mean())}

    def _sample(self, texts: list[str], batch: int = 20) -> np.ndarray:
        model, encoder = GridModel(self.model, self.scheduler, self.codec), self.data.encoder
        tokens, row = encoder.embed(texts)
        text, noise = encoder.scaled(tokens[row]), noise_of_seeds(len(texts), self._shape)
        steps, guidance, empty = self.spec.sampling_steps, Guidance(self.spec.guidance), encoder.scaled(encoder.empty)
        parts = zip(text.split(batch), noise.split(batch), strict=True)
        clips = [grid.sample(model, *part, FPS, steps, guidance, unconditional=empty) for part in parts]
        return torch.cat(clips).numpy()

    @property
    def _shape(self) -> tuple[int, ...]:
        """(C, T, h, w) of a clip."""
        frames, channels, *size = self.data.latents.shape[1:]
        return (channels, frames, *size)

    def picture(self) -> np.ndarray:
        """Ten validation clips, one a row, every second frame."""
        return strips(self._clips)


def build_task(spec: EtcSpec, embed: Embed, seed: int, _device: str) -> EtcTask:
    """The task of a variant's spec in params.yaml, on the trained text-to-image model."""
    return EtcTask(spec, CaptionEncoder.of(spec.text, embed), seed)


def export(task: EtcTask, folder: Path) -> None:
    """Write the whole video model, float16; its noise schedule and codec stay with the text-to-image model."""
    task.model.save(folder)
