"""Stable Diffusion through diffusers: text embeddings + initial noise -> images.

The same functions serve the world's small model (a folder with a UNet and a scheduler, whose latents the project's
codec decodes) and a Stable Diffusion checkpoint (a folder or hub id with its own `vae/`).
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

from pipeline.samplers.guidance import with_negative
from pipeline.weights.checkpoints import CheckpointError, resolve

_DECODED = 16  # frames at once: at 512 x 512 pixels a decoder needs gigabytes for them


@dataclass(frozen=True)
class ImageModel:
    """A denoiser, its noise schedule, the codec of its latents, and the factor on the text embeddings. The denoiser is
    a text-to-image UNet here, and one of videos in pipeline/animatediff.py."""

    unet: UNet2DConditionModel
    scheduler: DDIMScheduler
    codec: AutoencoderKL
    embedding_scale: float = 1.0

    @property
    def parameters(self) -> int:
        """Number of parameters of the denoiser."""
        return sum(p.numel() for p in self.unet.parameters())


def load(checkpoint: str | Path, codec: str | Path | None, embedding_scale: float = 1.0) -> ImageModel:
    """Load a checkpoint (folder or hub id) without its text encoder; on a GPU where there is one.

    Raises:
        CheckpointError: if it has neither a decoder of its own nor `codec` names one.
    """
    folder = resolve(checkpoint)
    if codec is None and not (folder / "vae").is_dir():
        raise CheckpointError(f"{checkpoint} has no vae/ of its own; name the codec of its latents in params.yaml")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    decoder = resolve(codec) if codec is not None else folder / "vae"
    return ImageModel(
        UNet2DConditionModel.from_pretrained(folder, subfolder="unet", dtype=torch.float32).to(device).eval(),
        DDIMScheduler.from_pretrained(folder, subfolder="scheduler"),
        AutoencoderKL.from_pretrained(decoder, dtype=torch.float32).to(device).eval(),
        embedding_scale,
    )


def scale_factor(codec: AutoencoderKL) -> int:
    """Pixels per latent."""
    return 2 ** (len(codec.config.block_out_channels) - 1)


@torch.inference_mode()
def sample(
    model: ImageModel,
    embeddings: torch.Tensor,
    noise: torch.Tensor,
    steps: int,
    guidance: float,
    unconditional: torch.Tensor | None = None,
) -> torch.Tensor:
    """Sample images with DDIM.

    Args:
        embeddings: (B, n, d) float32, n and d those of the UNet.
        noise: (B, C, h, w).
        unconditional: (n, d), what guidance steers away from; None is zeros, as the world's model was trained.

    Returns:
        uint8 images (B, H, W, 3) on the CPU.
    """
    pipe = StableDiffusionPipeline(
        vae=model.codec, text_encoder=None, tokenizer=None, unet=model.unet, scheduler=model.scheduler,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    prompt, negative = with_negative(embeddings, unconditional, model.embedding_scale, pipe.device)
    height, width = (size * scale_factor(model.codec) for size in noise.shape[-2:])
    images = pipe(
        prompt_embeds=prompt,
        negative_prompt_embeds=negative,
        latents=noise.to(pipe.device),
        num_inference_steps=steps,
        guidance_scale=guidance,
        height=height,
        width=width,
        output_type="pt",
    ).images
    return (images.float() * 255).round().byte().movedim(1, -1).cpu()


def decode(codec: AutoencoderKL, latents: torch.Tensor) -> torch.Tensor:
    """Scaled latents (B, F, C, h, w) -> frames (B, F, 3, H, W), about [0, 1], frame by frame."""
    scaled = latents.flatten(0, 1) / codec.config.scaling_factor
    frames = torch.cat([codec.decode(part).sample for part in scaled.split(_DECODED)])
    return (frames.unflatten(0, latents.shape[:2]) + 1) / 2
