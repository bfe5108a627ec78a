"""train_images: a small `UNet2DConditionModel` on the codec's latents of single frames, in Stable Diffusion's layout.

v-prediction on Stable Diffusion's scaled-linear schedule. Captions are the clips', motion words included, as captions
of real videos are; they are dropped in a share of the steps (zeros as the empty prompt).
"""

from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch import nn

from pipeline.codec.loading import Codec, load_codec
from pipeline.config import paths
from pipeline.config.embed import Embed
from pipeline.config.specs import ImageSpec
from pipeline.samplers.stable_diffusion import ImageModel
from pipeline.training.denoising import Noising, NoisingSource, single_frames, uniform
from pipeline.training.latents import CaptionedLatents, CaptionEncoder
from pipeline.training.pixels import sheet
from pipeline.training.stills import image_loss, sample_images, standing
from pipeline.training.task import Losses
from pipeline.training.validation import QUICK, judged, of_unseen

STILL = ("colour", "shape", "texture", "size", "heading")  # what a single frame shows


def build(spec: ImageSpec, latent_channels: int, text_width: int) -> UNet2DConditionModel:
    """An untrained denoiser of latents (B, latent_channels, 8, 8); attention below the first resolution only."""
    deeper = len(spec.channels) - 1
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=latent_channels,
        out_channels=latent_channels,
        layers_per_block=1,
        block_out_channels=spec.channels,
        down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * deeper),
        up_block_types=(*["CrossAttnUpBlock2D"] * deeper, "UpBlock2D"),
        cross_attention_dim=text_width,
        attention_head_dim=spec.heads,
        norm_num_groups=16,
    )


def noise_schedule() -> DDIMScheduler:
    """Stable Diffusion's betas, v-prediction, trailing timesteps.

    Its checkpoints have scaled-linear betas; HARIVO's Appendix D prints "linear" with the same two ends.
    """
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        steps_offset=1,
        clip_sample=False,
    )


class ImageTask:
    """Predict v from a noisy frame's latent and the caption's token embeddings."""

    def __init__(
        self, spec: ImageSpec, codec: Codec, encoder: CaptionEncoder, seed: int, device: torch.device | str
    ) -> None:
        torch.manual_seed(seed)
        self.spec = spec
        codec = codec.to(device).eval().requires_grad_(False)
        self.data = CaptionedLatents.of_world(spec.scenes, seed, codec, encoder, device, shading=spec.shading)
        self.model = build(spec, codec.config.latent_channels, self.data.texts.shape[-1]).to(device)
        self.images = ImageModel(self.model, noise_schedule(), codec)
        timesteps = uniform(self.images.scheduler)
        self.source = NoisingSource(self.data, seed, spec.batch, single_frames, timesteps, spec.drop)

    def loss(self, model: nn.Module, batch: Noising) -> Losses:
        return image_loss(self.images, model, batch)

    def validate(self, final: bool) -> dict[str, float]:
        """Shares of unseen prompts whose image shows what the prompt names, by the judge on a still clip."""
        names, self._images = of_unseen(self.spec.validation_prompts if final else QUICK, self.data, self._sample)
        return judged(names, standing(self._images), STILL)

    def _sample(self, text: torch.Tensor) -> np.ndarray:
        return sample_images(self.images, self.data, text, self.spec.sampling_steps, self.spec.guidance)

    def picture(self) -> np.ndarray:
        """Forty validation images, eight a row."""
        return sheet(self._images)


def build_task(spec: ImageSpec, embed: Embed, seed: int, device: str) -> ImageTask:
    """The task of params.yaml's train.t2i.spec, on the trained codec."""
    codec = load_codec(paths.world_model("codec"))
    return ImageTask(spec, codec, CaptionEncoder.of(spec.text, embed), seed, device)


def export(task: ImageTask, folder: Path) -> None:
    """Write UNet and scheduler as Stable Diffusion's folders, float16."""
    task.model.half().save_pretrained(folder / "unet")
    task.images.scheduler.save_pretrained(folder / "scheduler")
