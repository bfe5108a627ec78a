"""Video from a text-to-image model with temporal layers: text embeddings + initial noise -> clips.

The same functions serve AnimateDiff and HARIVO, the world's small model and a Stable Diffusion checkpoint.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from diffusers import AnimateDiffPipeline

from pipeline.config.generate import Model
from pipeline.config.methods import Animated
from pipeline.harivo.unet import VideoUNet, load_video_unet
from pipeline.samplers import denoising, stable_diffusion
from pipeline.samplers.decoding import decode, to_clips
from pipeline.samplers.denoising import Precision
from pipeline.samplers.guidance import Guidance, with_negative
from pipeline.samplers.stable_diffusion import ImageModel
from pipeline.weights.checkpoints import CheckpointError, resolve, weights_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AnimateDiffSampling:
    """How a clip is sampled: DDIM steps, guidance, and what the denoiser computes in; everything around it is
    float32."""

    steps: int
    guidance: Guidance
    precision: Precision = "float32"


@dataclass(frozen=True)
class AnimateDiffModel(ImageModel):
    """An image model whose denoiser has temporal layers, and HARIVO's networks where it was trained with them."""

    unet: VideoUNet

    @classmethod
    def of(cls, images: ImageModel, unet: VideoUNet) -> "AnimateDiffModel":
        """The video UNet with all else from the text-to-image model that it was made of."""
        return cls(unet, images.scheduler, images.codec)


def load(checkpoint: str | Path, codec: str | Path | None, motion: str | Path) -> AnimateDiffModel:
    """Put trained temporal layers on a text-to-image checkpoint (each a folder or hub id).

    Raises:
        CheckpointError: if a folder lacks a part, see `stable_diffusion.load`.
    """
    images = stable_diffusion.load(checkpoint, codec)
    return AnimateDiffModel.of(images, load_video_unet(images.unet, resolve(motion)))


def personalise(model: AnimateDiffModel, lora: str | Path) -> AnimateDiffModel:
    """Load a LoRA of the text-to-image model into the frozen part, by diffusers' own loader; nothing is retrained.

    Layers for the text encoder, which many public LoRAs have, are left out: texts are embedded by a stage before.

    Raises:
        CheckpointError: if there is no LoRA of a UNet in it.
    """
    left_out: dict[str, None] = dict.fromkeys(("text_encoder", "tokenizer", "motion_adapter"))
    pipe = AnimateDiffPipeline(vae=model.codec, unet=model.unet, scheduler=model.scheduler, **left_out)
    layers, alphas, metadata = pipe.lora_state_dict(
        resolve(lora), unet_config=pipe.unet.config, return_lora_metadata=True
    )
    if any(name.startswith("text_encoder") for name in layers):
        log.warning("%s: its layers for the text encoder are left out", lora)
    if not any(name.startswith("unet") for name in layers):
        raise CheckpointError(f"{lora} holds no LoRA of a UNet")
    pipe.load_lora_into_unet(layers, alphas, pipe.unet, metadata=metadata)
    return replace(model, unet=pipe.unet)


@torch.inference_mode()
def sample(
    model: AnimateDiffModel,
    embeddings: torch.Tensor,
    noise: torch.Tensor,
    sampling: AnimateDiffSampling,
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
    return to_clips(decode(model.codec, latents.movedim(2, 1)))


def denoise(
    model: AnimateDiffModel,
    embeddings: torch.Tensor,
    noise: torch.Tensor,
    sampling: AnimateDiffSampling,
    unconditional: torch.Tensor | None = None,
) -> torch.Tensor:
    """`sample` up to the latents (B, C, F, h, w)."""
    prompt, negative = with_negative(embeddings, unconditional, model.unet.device)
    text = torch.cat([negative, prompt]).repeat_interleave(noise.shape[2], dim=0)
    steps, guidance, precision = sampling.steps, sampling.guidance, sampling.precision
    return denoising.denoise(model.unet, model.scheduler, text, noise, steps, guidance, precision)


@dataclass(frozen=True)
class AnimateDiffSampler:
    """Samples a video UNet: a text-to-image checkpoint with trained temporal layers; see samplers.base.

    mapping: false leaves HARIVO's mapping network out. temporal: false leaves temporal layers and frame-wise tokens
    out, so that frames are images behind the mapping network. lora: of the text-to-image model, or None.
    """

    wanted: Model
    guidance: Guidance
    motion: str
    mapping: bool = True
    temporal: bool = True
    lora: str | None = None
    frame_axis = 1

    @property
    def origin(self) -> str:
        return " + ".join(filter(None, (self.wanted.checkpoint, self.motion, self.lora)))

    @property
    def weights(self) -> str:
        return weights_of(self.wanted, stable_diffusion.PARTS, self.motion, *filter(None, [self.lora]))

    @property
    def settings(self) -> dict[str, Any]:
        own = {"mapping": self.mapping, "temporal": self.temporal}
        return {**self.wanted.sampling.model_dump(), **asdict(self.guidance), **own}

    @cached_property
    def model(self) -> AnimateDiffModel:
        """The video model, put together when it is first asked for."""
        images = stable_diffusion.shared(self.wanted.checkpoint, self.wanted.codec)
        model = AnimateDiffModel.of(images, load_video_unet(images.unet, resolve(self.motion)))
        if not self.mapping:
            model.unet.equip(None, model.unet.tokens)
        return personalise(model, self.lora) if self.lora else model

    @contextmanager
    def _in_use(self) -> Iterator[AnimateDiffModel]:
        with nullcontext() if self.temporal else self.model.unet.spatial_only():
            yield self.model

    @property
    def parameters(self) -> int:
        with self._in_use() as model:
            return model.parameters

    @property
    def frames(self) -> int:
        """As many as params.yaml asks for, else as the temporal layers were trained with."""
        return self.wanted.sampling.frames or self.model.unet.config.motion_max_seq_length

    @property
    def noise_shape(self) -> tuple[int, ...]:
        return stable_diffusion.noise_shape(self.model, self.wanted.sampling, self.frames)

    def prepare(self, length: int, width: int) -> None:
        stable_diffusion.check_fit(self.origin, self.model, width)
        stable_diffusion.check_size(self.origin, self.model, self.wanted.sampling)
        unet = self.model.unet
        if unet.tokens is not None:
            for what, found, expected in (
                ("length of the embeddings", length, unet.tokens.config.length),
                ("frames", self.frames, unet.tokens.config.frames),
            ):
                if found != expected:
                    raise ValueError(f"{self.origin}: {what}: found {found}, expected {expected}")
        most = unet.config.motion_max_seq_length
        if self.frames > most:
            raise ValueError(f"{self.origin}: frames: found {self.frames}, expected at most {most}")
        self._check_guidance()

    def _check_guidance(self) -> None:
        """The guidance at one step of a video of zeros, so that what it cannot do is said before any clip."""
        nothing, scheduler = torch.zeros(1, 1, self.frames, 1, 1), self.model.scheduler
        try:
            self.guidance.combine(nothing, nothing, nothing, torch.tensor(1), scheduler)
        except ValueError as error:
            raise ValueError(f"{self.origin}: {error}") from error

    def sample(self, embeddings: torch.Tensor, noise: torch.Tensor, unconditional: torch.Tensor | None) -> torch.Tensor:
        wanted = self.wanted.sampling
        with self._in_use() as model:
            return sample(
                model,
                embeddings,
                noise,
                AnimateDiffSampling(wanted.steps, self.guidance, wanted.precision),
                unconditional,
            )


def build(model: Model, guidance: Guidance, options: Animated) -> AnimateDiffSampler:
    """The sampler of an entry of generate.models with the temporal layers of a method.

    Raises:
        ValueError: if the options name none.
    """
    if options.motion is None:
        raise ValueError("no temporal layers (motion)")
    return AnimateDiffSampler(model, guidance, options.motion, options.mapping, options.temporal, options.lora)
