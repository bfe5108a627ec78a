"""Video from a text-to-image model with temporal layers: text embeddings + initial noise -> clips.

The same functions serve AnimateDiff and HARIVO, the world's small model and a Stable Diffusion checkpoint.
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from diffusers import AnimateDiffPipeline

from pipeline.harivo.unet import VideoUNet, load_video_unet
from pipeline.samplers import stable_diffusion
from pipeline.samplers.guidance import Guidance, with_negative
from pipeline.samplers.stable_diffusion import ImageModel
from pipeline.weights.checkpoints import resolve

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sampling:
    """How a clip is sampled: DDIM steps, guidance, and what the denoiser computes in; everything around it is
    float32."""

    steps: int
    guidance: Guidance
    precision: Literal["float32", "bfloat16"] = "float32"


@dataclass(frozen=True)
class VideoModel(ImageModel):
    """An image model whose denoiser has temporal layers, and HARIVO's networks where it was trained with them."""

    unet: VideoUNet

    @classmethod
    def of(cls, images: ImageModel, unet: VideoUNet) -> "VideoModel":
        """The video UNet with all else from the text-to-image model that it was made of."""
        return cls(unet, images.scheduler, images.codec, images.embedding_scale)


def load(
    checkpoint: str | Path, codec: str | Path | None, motion: str | Path, embedding_scale: float = 1.0
) -> VideoModel:
    """Put trained temporal layers on a text-to-image checkpoint (each a folder or hub id).

    Raises:
        CheckpointError: if a folder lacks a part, see `stable_diffusion.load`.
    """
    images = stable_diffusion.load(checkpoint, codec, embedding_scale)
    return VideoModel.of(images, load_video_unet(images.unet, resolve(motion)))


def personalise(model: VideoModel, lora: str | Path) -> VideoModel:
    """Load a LoRA of the text-to-image model into the frozen part, by diffusers' own loader; nothing is retrained.

    Layers for the text encoder, which many public LoRAs have, are left out: texts are embedded by a stage before.
    """
    pipe = AnimateDiffPipeline(
        vae=model.codec, text_encoder=None, tokenizer=None, unet=model.unet, motion_adapter=None,
        scheduler=model.scheduler,
    )  # fmt: skip
    layers, alphas, metadata = pipe.lora_state_dict(
        resolve(lora), unet_config=pipe.unet.config, return_lora_metadata=True
    )
    if any(name.startswith("text_encoder") for name in layers):
        log.warning("%s: its layers for the text encoder are left out", lora)
    pipe.load_lora_into_unet(layers, alphas, pipe.unet, metadata=metadata)
    return replace(model, unet=pipe.unet)


@torch.inference_mode()
def sample(
    model: VideoModel,
    embeddings: torch.Tensor,
    noise: torch.Tensor,
    sampling: Sampling,
    unconditional: torch.Tensor | None = None,
) -> torch.Tensor:
    """Sample clips with DDIM and guidance.

    Args:
        embeddings: (B, n, d) float32, n and d those of the UNet.
        noise: (B, C, F, h, w).
        unconditional: (n, d), what guidance steers away from; None is zeros, as the world's model was trained.

    Returns:
        uint8 clips (B, F, H, W, 3) on the CPU.
    """
    latents = denoise(model, embeddings, noise, sampling, unconditional)
    video = stable_diffusion.decode(model.codec, latents.movedim(2, 1))
    return (video.clamp(0, 1) * 255).round().byte().movedim(2, -1).cpu()


@torch.inference_mode()
def denoise(
    model: VideoModel,
    embeddings: torch.Tensor,
    noise: torch.Tensor,
    sampling: Sampling,
    unconditional: torch.Tensor | None = None,
) -> torch.Tensor:
    """`sample` up to the latents (B, C, F, h, w)."""
    device, scheduler = model.unet.device, model.scheduler
    prompt, negative = with_negative(embeddings, unconditional, model.embedding_scale, device)
    text = torch.cat([negative, prompt]).repeat_interleave(noise.shape[2], dim=0)
    scheduler.set_timesteps(sampling.steps, device=device)
    latents = noise.to(device)
    for timestep in scheduler.timesteps:
        with torch.autocast(device.type, torch.bfloat16, enabled=sampling.precision == "bfloat16"):
            both = model.unet(torch.cat([latents, latents]), timestep, text).sample
        predicted = sampling.guidance.combine(*both.float().chunk(2), latents, timestep, scheduler)
        latents = scheduler.step(predicted, timestep, latents).prev_sample
    return latents
