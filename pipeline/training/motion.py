"""train_motion@variant: temporal layers on the frozen text-to-image model, with as many of HARIVO's parts
as params.yaml switches on. One file for all variants: they differ in their spec alone.
"""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from metrics.progress import each
from pipeline.config.embed import Embed
from pipeline.config.specs import MotionSpec
from pipeline.harivo.contrast import Contrast
from pipeline.harivo.losses import LossWeights, regularisation, total
from pipeline.harivo.mapping import MappingNetwork
from pipeline.harivo.noise import NoiseKind, video_noise
from pipeline.harivo.tokens import FrameTokens
from pipeline.harivo.unet import VideoUNet, inflate
from pipeline.samplers import animatediff, stable_diffusion
from pipeline.samplers.animatediff import AnimateDiffModel, AnimateDiffSampling
from pipeline.samplers.guidance import Guidance
from pipeline.training.denoising import NoisingSource, target
from pipeline.training.latents import CaptionedLatents, CaptionEncoder
from pipeline.training.motion_model import MotionModel
from pipeline.training.motion_source import MotionBatch, MotionSource, channels_first, spread
from pipeline.training.on_images import images_of
from pipeline.training.pixels import strips
from pipeline.training.task import Losses, gathered
from pipeline.training.validation import VALIDATION_SEED, unseen_prompts
from pipeline.training.video_validation import judged_videos
from pipeline.training.videos import check_size, latents_of
from pipeline.world.scene import FRAMES, HEIGHT

UNSEEN = 64  # clips of the toy world for the validation loss


class MotionTask:
    """Denoise videos; only the temporal layers and HARIVO's networks learn."""

    def __init__(self, spec: MotionSpec, encoder: CaptionEncoder, seed: int) -> None:
        self.spec, self.seed, self.images = spec, seed, images_of(spec)
        self.frames, self.size = (spec.videos.frames, spec.videos.size) if spec.videos else (FRAMES, HEIGHT)
        torch.manual_seed(seed)
        self.weights = LossWeights(spec.lambda_trs, spec.lambda_reg, spec.lambda_dc)
        if spec.videos:
            check_size(spec.videos, self.images, spec.checkpoint)
        codec, device = self.images.codec.requires_grad_(False), self.images.unet.device
        if spec.videos:
            self.data, self.unseen = latents_of(spec.videos, codec, encoder, device)
        else:
            world = partial(CaptionedLatents.of_world, codec=codec, encoder=encoder, device=device)
            self.data = world(spec.scenes, spec.scenes_seed, used=spec.used, shading=spec.shading)
            self.unseen = world(UNSEEN, VALIDATION_SEED, shading=spec.shading)
        self.source = self._source(self.data, spec.timestep_power, spec.drop, seed)
        self.unet = self._video_unet()
        self.model = MotionModel(self.unet, self._contrast() if spec.lambda_dc else None).to(device)

    def _video_unet(self) -> VideoUNet:
        spec, unet = self.spec, self.images.unet
        length, width = self.data.texts.shape[-2:]
        return inflate(unet, self.frames, spec.heads).equip(
            MappingNetwork(unet.config.in_channels, heads=spec.heads, head_dim=16) if spec.mapping else None,
            FrameTokens(width, length, self.frames, spec.tokens) if spec.tokens else None,
        )

    def _contrast(self) -> Contrast:
        channels = self.images.unet.config.block_out_channels
        size = -(-self.data.latents.shape[-1] // 2 ** (len(channels) - 1))
        return Contrast(channels[-1], size, self.spec.queue, self.spec.other_content, self.spec.limit_dc, gathered)

    @property
    def apart(self) -> dict[str, nn.Module]:
        """L_DC's projection: at first its gradient is many times that of the temporal layers."""
        return {} if self.model.contrast is None else {"contrast": self.model.contrast}

    def _source(self, data: CaptionedLatents, power: float, drop: float | None, seed: int = 0) -> MotionSource:
        timesteps = spread(self.images.scheduler, power)
        videos = NoisingSource(data, seed, self.spec.batch, channels_first, timesteps, drop)
        return MotionSource(videos, self.spec.noise, self.spec.noise_weight)

    def loss(self, model: nn.Module, batch: MotionBatch, weights: LossWeights | None = None) -> Losses:
        """L_simple in the text-to-image model's own parametrisation, and the other losses whose weight (by default the
        spec's) is not 0."""
        scheduler, weights = self.images.scheduler, weights or self.weights
        noisy = scheduler.add_noise(batch.clean, batch.noise, batch.timestep)
        wanted = target(scheduler, batch.clean, batch.noise, batch.timestep)
        outputs = model(noisy, batch.timestep, batch.text, batch.pair, batch.content, weights)
        video = outputs.pop("video").float()
        measures = {name: outputs.pop(name) for name in list(outputs) if name.startswith("dc_")}
        if weights.reg:
            outputs["reg"] = regularisation(video, outputs["reg"].float(), batch.timestep, scheduler)
        simple = F.mse_loss(video, wanted)
        return Losses(total(simple, weights, **outputs), {"simple": simple, **outputs}, measures)

    def validate(self, final: bool) -> dict[str, float]:
        """`validation_loss`, and of the toy world Table A2's attributes, the heading, colours and shapes, on clips of
        unseen prompts, by the judge, which cannot judge videos from a folder."""
        n = self.spec.validation_prompts if final else min(20, self.spec.validation_prompts)
        sampling = AnimateDiffSampling(self.spec.sampling_steps, Guidance(self.spec.guidance))
        loss = {"validation_loss": self._validation_loss()}
        if self.spec.videos:
            self._clips = self.sample(self.unseen.captions[:n], sampling)
            return loss
        names, texts = unseen_prompts(n, self.data.known)
        self._clips = self.sample(texts, sampling)
        return loss | judged_videos(names, texts, self._clips)

    def _validation_loss(self, draws: int = 16) -> float:
        """Mean L_simple of clips that are not trained on, with their captions, at uniform timesteps: of the same
        batches, timesteps and noise for every variant and whenever it is asked for."""
        source = self._source(self.unseen, power=1.0, drop=None)
        batches = [source.batch(-1 - i).to(self.unet.device) for i in range(draws)]
        return float(torch.stack([self.loss(self.model, batch, LossWeights()).total for batch in batches]).mean())

    def sample(self, texts: list[str], sampling: AnimateDiffSampling) -> np.ndarray:
        """Clips (n, T, H, W, 3) of prompts, of the size that is trained."""
        model = AnimateDiffModel.of(self.images, self.unet)
        noise = (self.spec.noise, self.spec.noise_weight)
        return sample_prompts(model, self.data.encoder, texts, self.size, sampling, noise)

    def picture(self) -> np.ndarray:
        """Ten validation clips, one a row, every second frame."""
        return strips(self._clips)


def sample_prompts(
    model: AnimateDiffModel,
    encoder: CaptionEncoder,
    texts: list[str],
    size: int,
    sampling: AnimateDiffSampling,
    noise: tuple[NoiseKind, float] = ("iid", 0.0),
) -> np.ndarray:
    """Clips (n, T, size, size, 3), one of each prompt, of as many frames as the temporal layers were made for."""
    n, (tokens, row) = len(texts), encoder.embed(texts)
    text, unconditional = encoder.scaled(tokens[row]), encoder.scaled(encoder.empty)
    side = size // stable_diffusion.scale_factor(model.codec)
    shape = (model.unet.config.in_channels, model.unet.config.motion_max_seq_length, side, side)
    initial = torch.stack([video_noise(shape, seed, *noise) for seed in range(n)])
    clips = [
        animatediff.sample(model, text[i : i + 20], initial[i : i + 20], sampling, unconditional)
        for i in each(range(0, n, 20), "sampling", "batches", keep=False)
    ]
    return torch.cat(clips).numpy()


def build_task(spec: MotionSpec, embed: Embed, seed: int, _device: str) -> MotionTask:
    """The task of a variant's spec in params.yaml, on the trained text-to-image model."""
    return MotionTask(spec, CaptionEncoder.of(spec.text, embed), seed)


def export(task: MotionTask, folder: Path) -> None:
    """Write the temporal layers and HARIVO's networks, float16; the text-to-image model stays where it is."""
    task.unet.save_motion(folder)
