"""train@t2i: a small `UNet2DConditionModel` on the codec's latents of single frames, in Stable Diffusion's layout.

v-prediction on Stable Diffusion's scaled-linear schedule. Captions are the clips', motion words included, as captions
of real videos are; they are dropped in a share of the steps (zeros as the empty prompt).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from torch.nn import functional as F

from pipeline.config import paths
from pipeline.samplers.stable_diffusion import ImageModel, sample
from pipeline.text.encoders import TextEncoder
from pipeline.training.latents import CaptionedLatents, Captions, judged_shares, noised, sheet, unseen_prompts
from pipeline.training.loop import step_generator
from pipeline.world.judge import judge
from pipeline.world.scene import FRAMES

STILL = ("colour", "shape", "texture", "size")  # the attributes that a single frame shows


@dataclass(frozen=True)
class ImageSpec:
    """Architecture and data; `drop` is the share of captions replaced by zeros. See training.cogvideox.VideoSpec."""

    channels: list[int]
    heads: int
    text_tokens: int
    embedding_scale: float
    drop: float
    batch: int
    scenes: int
    sampling_steps: int
    guidance: float
    validation_prompts: int


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
        self, spec: ImageSpec, codec: AutoencoderKL, encoder: TextEncoder, seed: int, device: torch.device | str
    ) -> None:
        torch.manual_seed(seed)
        self.spec, self.seed, self.device = spec, seed, device
        self.codec = codec.to(device).eval().requires_grad_(False)
        how = Captions(encoder, spec.text_tokens, spec.embedding_scale)
        self.data = CaptionedLatents.of_world(spec.scenes, seed, self.codec, how, device)
        self.model = build(spec, codec.config.latent_channels, self.data.texts.shape[-1]).to(device)
        self.scheduler = noise_schedule()

    def loss(self, step: int) -> torch.Tensor:
        generator = step_generator(self.seed, step)
        batch = (self.spec.batch,)
        rows = torch.randint(len(self.data.latents), batch, generator=generator)
        frames = torch.randint(FRAMES, batch, generator=generator)
        kept = torch.rand(batch, generator=generator) >= self.spec.drop
        timestep = torch.randint(self.scheduler.config.num_train_timesteps, batch, generator=generator)
        clean, text = self.data.latents[rows, frames].float(), self.data.conditions(rows, kept)
        x = noised(self.scheduler, clean, timestep, text, generator, self.device)
        return F.mse_loss(self.model(x.noisy, x.timestep, x.text).sample.float(), x.target)

    def validate(self, final: bool) -> dict[str, float]:
        """Shares of unseen prompts whose image shows what the prompt names, by the judge on a still clip."""
        n = self.spec.validation_prompts if final else 40
        names, texts = unseen_prompts(n, self.data.known)
        tokens, row = self.data.how.embed(texts)
        shape = (self.codec.config.latent_channels, 8, 8)
        noise = torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(i)) for i in range(n)])
        model = ImageModel(self.model, self.scheduler, self.codec, self.spec.embedding_scale)
        sampling = (self.spec.sampling_steps, self.spec.guidance)
        self._images = sample(model, tokens[row].float(), noise, *sampling).numpy()
        readings = judge(np.repeat(self._images[:, None], FRAMES, axis=1))
        shares = judged_shares(names, readings.names(), STILL)
        return shares | {"judge_one_object": float(readings.one_object.mean())}

    def picture(self) -> np.ndarray:
        """Forty validation images, eight a row."""
        return sheet(self._images)


def build_task(spec: dict[str, Any], seed: int, device: str) -> ImageTask:
    """The task of params.yaml's train.t2i.spec, on the trained codec."""
    codec = AutoencoderKL.from_pretrained(paths.world_model("codec"), dtype=torch.float32)
    return ImageTask(ImageSpec(**spec), codec, TextEncoder("minilm", paths.MINILM), seed, device)


def export(task: ImageTask, folder: Path) -> None:
    """Write UNet and scheduler as Stable Diffusion's folders, float16."""
    task.model.half().save_pretrained(folder / "unet")
    task.scheduler.save_pretrained(folder / "scheduler")
