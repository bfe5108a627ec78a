"""Stable Diffusion through diffusers: text embeddings + initial noise -> images.

The same functions serve the world's small model (a folder with a UNet and a scheduler, whose latents the project's
codec decodes) and a Stable Diffusion checkpoint (a folder or hub id with its own `vae/`).
"""

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

from pipeline.codec.loading import Codec, load_codec
from pipeline.config.generate import Model, SamplingParams
from pipeline.config.methods import Animated
from pipeline.samplers.decoding import decode, scale_factor, to_clips
from pipeline.samplers.denoising import denoise
from pipeline.samplers.guidance import Guidance, with_negative
from pipeline.weights.checkpoints import CheckpointError, resolve, weights_of

PARTS = ("unet", "scheduler", "vae")  # the folders of a checkpoint that are loaded
FRAMES = 16  # of a clip, where params.yaml names no number: a checkpoint of images has none


@dataclass(frozen=True)
class ImageModel:
    """A denoiser, its noise schedule and the codec of its latents. The denoiser is a text-to-image UNet here, and one
    of videos in pipeline/samplers/animatediff.py."""

    unet: UNet2DConditionModel
    scheduler: DDIMScheduler
    codec: Codec

    @property
    def parameters(self) -> int:
        """Number of parameters of the denoiser."""
        return sum(p.numel() for p in self.unet.parameters())


@lru_cache(maxsize=1)
def shared(checkpoint: str, codec: str | None) -> ImageModel:
    """`load`, once for all methods of a model that one process serves; they copy what they change."""
    return load(checkpoint, codec)


def load(checkpoint: str | Path, codec: str | Path | None) -> ImageModel:
    """Load a checkpoint (folder or hub id) without its text encoder; on a GPU where there is one.

    Raises:
        CheckpointError: if it has neither a decoder of its own nor `codec` names one.
    """
    scheduler, decoder = load_around(checkpoint, codec)
    unet = UNet2DConditionModel.from_pretrained(resolve(checkpoint), subfolder="unet", dtype=torch.float32)
    return ImageModel(unet.to(decoder.device).eval(), scheduler, decoder)


def load_around(checkpoint: str | Path, codec: str | Path | None) -> tuple[DDIMScheduler, Codec]:
    """What of a checkpoint stands around its UNet: the noise schedule and the codec of its latents; see `load`."""
    folder = resolve(checkpoint)
    if codec is None and not (folder / "vae").is_dir():
        raise CheckpointError(f"{checkpoint} has no vae/ of its own; name the codec of its latents in params.yaml")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    decoder = load_codec(resolve(codec) if codec is not None else folder / "vae")
    return DDIMScheduler.from_pretrained(folder, subfolder="scheduler"), decoder.to(device).eval()


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
    left_out: dict[str, None] = dict.fromkeys(("text_encoder", "tokenizer", "safety_checker", "feature_extractor"))
    pipe = StableDiffusionPipeline(
        vae=model.codec, unet=model.unet, scheduler=model.scheduler, requires_safety_checker=False, **left_out
    )
    pipe.set_progress_bar_config(disable=True)
    prompt, negative = with_negative(embeddings, unconditional, pipe.device)
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


@dataclass(frozen=True)
class FramesSampler:
    """Samples every frame of a clip by itself, as an image of its own noise; see samplers.base."""

    wanted: Model
    guidance: Guidance
    frame_axis = 1

    @property
    def origin(self) -> str:
        return self.wanted.checkpoint

    @property
    def weights(self) -> str:
        return weights_of(self.wanted, PARTS)

    @property
    def settings(self) -> dict[str, Any]:
        return {**self.wanted.sampling.model_dump(), **asdict(self.guidance)}

    @property
    def model(self) -> ImageModel:
        """The checkpoint, loaded when it is first asked for."""
        return shared(self.wanted.checkpoint, self.wanted.codec)

    @property
    def parameters(self) -> int:
        return self.model.parameters

    @property
    def noise_shape(self) -> tuple[int, ...]:
        return noise_shape(self.model, self.wanted.sampling, self.wanted.sampling.frames or FRAMES)

    def prepare(self, length: int, width: int) -> None:
        check_fit(self.origin, self.model, width)
        check_size(self.origin, self.model, self.wanted.sampling)

    @torch.inference_mode()
    def sample(self, embeddings: torch.Tensor, noise: torch.Tensor, unconditional: torch.Tensor | None) -> torch.Tensor:
        model, wanted = self.model, self.wanted.sampling
        pair = with_negative(embeddings, unconditional, model.unet.device)
        text = torch.cat([side.repeat_interleave(noise.shape[2], dim=0) for side in pair[::-1]])
        frames = noise.movedim(2, 1).flatten(0, 1)
        latents = denoise(model.unet, model.scheduler, text, frames, wanted.steps, self.guidance, wanted.precision)
        return to_clips(decode(model.codec, latents.unflatten(0, (len(noise), -1))))


def noise_shape(model: ImageModel, wanted: SamplingParams, frames: int) -> tuple[int, int, int, int]:
    """(C, F, h, w) of one clip's noise."""
    spatial = scale_factor(model.codec)
    height = wanted.height // spatial if wanted.height else model.unet.config.sample_size
    width = wanted.width // spatial if wanted.width else model.unet.config.sample_size
    return model.unet.config.in_channels, frames, height, width


def check_fit(origin: str, model: ImageModel, width: int) -> None:
    """Refuse embeddings or a codec that the UNet was not made for.

    Raises:
        ValueError: naming the checkpoint and both sizes.
    """
    config, codec = model.unet.config, model.codec.config
    for what, found, expected in (
        ("width of the embeddings", width, config.cross_attention_dim),
        ("latent channels of the codec", codec.latent_channels, config.in_channels),
    ):
        if found != expected:
            raise ValueError(f"{origin}: {what}: found {found}, expected {expected}")


def check_size(origin: str, model: ImageModel, wanted: SamplingParams) -> None:
    """Refuse sizes in pixels that are no whole number of the UNet's smallest latents.

    Raises:
        ValueError: naming the checkpoint, the side and the number that must divide it.
    """
    least = scale_factor(model.codec) * 2 ** (len(model.unet.config.block_out_channels) - 1)
    for side in ("height", "width"):
        size = getattr(wanted, side)
        if size and size % least:
            raise ValueError(f"{origin}: sampling.{side} is {size}, expected a multiple of {least}")


def build(model: Model, guidance: Guidance, _options: Animated) -> FramesSampler:
    """The sampler of an entry of generate.models without temporal layers.

    Raises:
        ValueError: if the mitigating gradient is on: frames by themselves have none.
    """
    if guidance.mg_scale:
        raise ValueError("the mitigating gradient needs temporal layers (motion)")
    return FramesSampler(model, guidance)
