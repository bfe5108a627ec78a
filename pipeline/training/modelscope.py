"""train_modelscope: a small `UNet3DConditionModel`, ModelScope's, on the codec's latents of the world's clips.

All of it is trained from scratch on pairs of clip and caption. v-prediction on Stable Diffusion's scaled-linear
schedule; captions are dropped in a share of the steps (zeros as the empty prompt).
"""

from pathlib import Path

import numpy as np
import torch
from diffusers import UNet3DConditionModel
from torch import nn

from pipeline.codec.loading import Codec, load_codec
from pipeline.config import paths
from pipeline.config.embed import Embed
from pipeline.config.specs import VideoUNetSpec
from pipeline.samplers.guidance import Guidance
from pipeline.samplers.unet3d import UNet3DModel, sample
from pipeline.training.denoising import Noising, NoisingSource, denoising_loss
from pipeline.training.latents import CaptionedLatents, CaptionEncoder
from pipeline.training.motion_source import channels_first, spread
from pipeline.training.pixels import strips
from pipeline.training.t2i import noise_schedule
from pipeline.training.task import Losses
from pipeline.training.validation import QUICK, noise_of_seeds, unseen_prompts
from pipeline.training.video_validation import judged_videos


def build(spec: VideoUNetSpec, latent_channels: int, text_width: int) -> UNet3DConditionModel:
    """An untrained denoiser of latents (B, latent_channels, F, 8, 8); attention below the first resolution only."""
    deeper = len(spec.channels) - 1
    unet = UNet3DConditionModel(
        sample_size=8,
        in_channels=latent_channels,
        out_channels=latent_channels,
        layers_per_block=1,
        block_out_channels=tuple(spec.channels),
        down_block_types=("DownBlock3D", *["CrossAttnDownBlock3D"] * deeper),
        up_block_types=(*["CrossAttnUpBlock3D"] * deeper, "UpBlock3D"),
        cross_attention_dim=text_width,
        attention_head_dim=spec.heads,
        norm_num_groups=16,
    )
    return without_dropout(unet)


def without_dropout(unet: UNet3DConditionModel) -> UNet3DConditionModel:
    """The same without the dropout of its temporal convolutions, which neither the step's seed nor its config knows."""
    for layer in unet.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    return unet


class VideoUNetTask:
    """Predict v from a clip's noisy latents and the caption's token embeddings."""

    def __init__(
        self, spec: VideoUNetSpec, codec: Codec, encoder: CaptionEncoder, seed: int, device: torch.device | str
    ) -> None:
        torch.manual_seed(seed)
        self.spec = spec
        codec = codec.to(device).eval().requires_grad_(False)
        self.data = CaptionedLatents.of_world(spec.scenes, seed, codec, encoder, device, shading=spec.shading)
        self.model = build(spec, codec.config.latent_channels, self.data.texts.shape[-1]).to(device)
        self.video = UNet3DModel(self.model, noise_schedule(), codec)
        timesteps = spread(self.video.scheduler, spec.timestep_power)
        self.source = NoisingSource(self.data, seed, spec.batch, channels_first, timesteps, spec.drop)

    def loss(self, model: nn.Module, batch: Noising) -> Losses:
        scheduler = self.video.scheduler
        return Losses(
            denoising_loss(scheduler, batch, lambda noisy, timestep, text: model(noisy, timestep, text).sample)
        )

    def validate(self, final: bool) -> dict[str, float]:
        """HARIVO's attributes (Table A2), the heading, colours and shapes, on clips of unseen prompts, by the judge.
        What cannot be measured, as the roughness of clips that show no object yet, is left out."""
        names, texts = unseen_prompts(self.spec.validation_prompts if final else QUICK, self.data.known)
        self._clips = self._sample(texts)
        return {key: share for key, share in judged_videos(names, texts, self._clips).items() if np.isfinite(share)}

    def _sample(self, texts: list[str], batch: int = 20) -> np.ndarray:
        encoder, spec = self.data.encoder, self.spec
        tokens, row = encoder.embed(texts)
        text, noise = encoder.scaled(tokens[row]), noise_of_seeds(len(texts), self._shape)
        guidance, empty = Guidance(spec.guidance), encoder.scaled(encoder.empty)
        parts = zip(text.split(batch), noise.split(batch), strict=True)
        clips = [sample(self.video, *part, spec.sampling_steps, guidance, unconditional=empty) for part in parts]
        return torch.cat(clips).numpy()

    @property
    def _shape(self) -> tuple[int, ...]:
        """(C, F, h, w) of a clip."""
        frames, channels, *size = self.data.latents.shape[1:]
        return (channels, frames, *size)

    def picture(self) -> np.ndarray:
        """Ten validation clips, one a row, every second frame."""
        return strips(self._clips)


def build_task(spec: VideoUNetSpec, embed: Embed, seed: int, device: str) -> VideoUNetTask:
    """The task of params.yaml's train.modelscope.spec, on the trained codec."""
    codec = load_codec(paths.world_model("codec"))
    return VideoUNetTask(spec, codec, CaptionEncoder.of(spec.text, embed), seed, device)


def export(task: VideoUNetTask, folder: Path) -> None:
    """Write UNet and scheduler as folders of a `TextToVideoSDPipeline`, float16."""
    task.model.half().save_pretrained(folder / "unet")
    task.video.scheduler.save_pretrained(folder / "scheduler")
