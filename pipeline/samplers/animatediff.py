"""Video from a text-to-image model with temporal layers: text embeddings + initial noise -> clips.

The same functions serve AnimateDiff and HARIVO, the world's small model and a Stable Diffusion checkpoint.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from metrics.reading.sources import Source, source_hash
from pipeline.config.generate import Model
from pipeline.config.methods import Animated, Controlled, ImagePrompt
from pipeline.harivo.unet import VideoUNet, load_video_unet
from pipeline.samplers import denoising, personal, stable_diffusion
from pipeline.samplers.decoding import decode, to_clips
from pipeline.samplers.denoising import Precision
from pipeline.samplers.guidance import Guidance, with_negative
from pipeline.samplers.stable_diffusion import ImageModel
from pipeline.weights.checkpoints import resolve, weights_of


@dataclass(frozen=True)
class AnimateDiffSampling:
    """How a clip is sampled: DDIM steps, guidance, and what the denoiser computes in; everything around it is
    float32."""

    steps: int
    guidance: Guidance
    precision: Precision = "float32"


@dataclass(frozen=True)
class AnimateDiffModel(ImageModel):
    """An image model whose denoiser has temporal layers, and HARIVO's networks where it was trained with them.

    steered: the denoiser with what a ControlNet or an IP-Adapter adds to it; None: nothing.
    """

    unet: VideoUNet
    steered: nn.Module | None = None

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
    return denoising.denoise(model.steered or model.unet, model.scheduler, text, noise, steps, guidance, precision)


@dataclass(frozen=True)
class AnimateDiffSampler:
    """Samples a video UNet: a text-to-image checkpoint with trained temporal layers; see samplers.base.

    mapping: false leaves HARIVO's mapping network out. temporal: false leaves temporal layers and frame-wise tokens
    out, so that frames are images behind the mapping network. lora, controlnet, image_prompt: of the text-to-image
    model, or None.
    """

    wanted: Model
    guidance: Guidance
    motion: str
    mapping: bool = True
    temporal: bool = True
    lora: str | None = None
    controlnet: Controlled | None = None
    image_prompt: ImagePrompt | None = None
    frame_axis = 1

    @property
    def origin(self) -> str:
        return " + ".join([self.wanted.checkpoint, self.motion, *self._personal])

    @property
    def weights(self) -> str:
        return weights_of(self.wanted, stable_diffusion.PARTS, self.motion, *self._personal)

    @property
    def _personal(self) -> list[str]:
        """Folders or hub ids of what the text-to-image model is personalised with."""
        parts = [part.folder for part in (self.controlnet, self.image_prompt) if part]
        return [*([self.lora] if self.lora else []), *parts]

    @property
    def settings(self) -> dict[str, Any]:
        own: dict[str, Any] = {"mapping": self.mapping, "temporal": self.temporal}
        if self.controlnet:
            video = Path(self.controlnet.video)
            own["controlnet"] = [self.controlnet.scale, source_hash(Source(video.name, video))]
        if self.image_prompt:
            picture = Path(self.image_prompt.image)
            own["image_prompt"] = [self.image_prompt.scale, source_hash(Source(picture.name, picture))]
        return {**self.wanted.sampling.model_dump(), **asdict(self.guidance), **own}

    @cached_property
    def model(self) -> AnimateDiffModel:
        """The video model, put together when it is first asked for."""
        images = stable_diffusion.shared(self.wanted.checkpoint, self.wanted.codec)
        unet = load_video_unet(images.unet, resolve(self.motion))
        if not self.mapping:
            unet.equip(None, unet.tokens)
        if self.lora:
            unet = personal.with_lora(images, unet, self.lora)
        return replace(AnimateDiffModel.of(images, unet), steered=self._steered(images, unet))

    def _steered(self, images: ImageModel, unet: VideoUNet) -> nn.Module | None:
        """What an IP-Adapter and a ControlNet make of a UNet; None without either."""
        steered = personal.prompted(images, unet, self.image_prompt) if self.image_prompt else None
        if self.controlnet is None:
            return steered
        sampling, unscaled = self.wanted.sampling, stable_diffusion.scale_factor(images.codec)
        frames = sampling.frames or unet.config.motion_max_seq_length
        side = stable_diffusion.noise_shape(AnimateDiffModel.of(images, unet), sampling, frames)[-2:]
        shape = (frames, side[0] * unscaled, side[1] * unscaled)
        return personal.controlled(steered or unet, unet.device, self.controlnet, shape)

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
    own = {name: getattr(options, name) for name in ("mapping", "temporal", "lora", "controlnet", "image_prompt")}
    return AnimateDiffSampler(model, guidance, options.motion, **own)
