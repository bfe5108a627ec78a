"""Latent video diffusion with temporal convolution and attention: text embeddings + initial noise -> clips.

The denoiser is diffusers' `UNet3DConditionModel`, that of ModelScope. The same functions serve the world's small model
(a folder with a UNet and a scheduler, whose latents the project's codec decodes) and a checkpoint of
`TextToVideoSDPipeline` (a folder or hub id with its own `vae/`). Both are sampled with DDIM on the betas of their
`scheduler/`, by the loop that all UNets share, whose guidance may change on the way.
"""

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet3DConditionModel

from pipeline.config.generate import Model, SamplingParams
from pipeline.config.section import Section
from pipeline.samplers import denoising, stable_diffusion
from pipeline.samplers.decoding import decode, to_clips
from pipeline.samplers.denoising import Precision
from pipeline.samplers.guidance import Guidance, with_negative
from pipeline.samplers.stable_diffusion import ImageModel
from pipeline.weights.checkpoints import CheckpointError, resolve, weights_of


@dataclass(frozen=True)
class UNet3DModel(ImageModel):
    """A denoiser of videos (B, C, F, h, w), its noise schedule and the codec of its latents."""

    unet: UNet3DConditionModel


@lru_cache(maxsize=1)
def shared(checkpoint: str, codec: str | None) -> UNet3DModel:
    """`load`, once for all methods of a model that one process serves."""
    return load(checkpoint, codec)


def load(checkpoint: str | Path, codec: str | Path | None) -> UNet3DModel:
    """Load a checkpoint (folder or hub id) without its text encoder; on a GPU where there is one.

    Raises:
        CheckpointError: if it has neither a decoder of its own nor `codec` names one, or its UNet is of another kind.
    """
    scheduler, decoder = stable_diffusion.load_around(checkpoint, codec)
    folder = resolve(checkpoint)
    kind = UNet3DConditionModel.load_config(folder, subfolder="unet").get("_class_name")
    if kind != UNet3DConditionModel.__name__:
        raise CheckpointError(f"{checkpoint}: unet/ is a {kind}, expected a {UNet3DConditionModel.__name__}")
    unet = UNet3DConditionModel.from_pretrained(folder, subfolder="unet", dtype=torch.float32)
    return UNet3DModel(unet.to(decoder.device).eval(), scheduler, decoder)


@torch.inference_mode()
def sample(
    model: UNet3DModel,
    embeddings: torch.Tensor,
    noise: torch.Tensor,
    steps: int,
    guidance: Guidance,
    precision: Precision = "float32",
    unconditional: torch.Tensor | None = None,
) -> torch.Tensor:
    """Sample clips with DDIM and guidance.

    Args:
        embeddings: (B, n, d) float32, d that of the UNet.
        noise: (B, C, F, h, w).
        unconditional: (n, d), what guidance steers away from; None is zeros, as the world's model was trained.

    Returns:
        uint8 clips (B, F, H, W, 3) on the CPU.
    """
    prompt, negative = with_negative(embeddings, unconditional, model.unet.device)
    text = torch.cat([negative, prompt])
    latents = denoising.denoise(model.unet, model.scheduler, text, noise, steps, guidance, precision)
    return to_clips(decode(model.codec, latents.movedim(2, 1)))


def check_own_size(origin: str, model: UNet3DModel, wanted: SamplingParams) -> None:
    """Refuse sides that neither params.yaml nor the checkpoint states as one number.

    Raises:
        ValueError: naming the checkpoint, and what it states.
    """
    own = model.unet.config.sample_size
    if not isinstance(own, int) and not (wanted.height and wanted.width):
        said = "expected one number, or sampling.height and sampling.width in params.yaml"
        raise ValueError(f"{origin}: sample_size in unet/config.json: found {own}, {said}")


@dataclass(frozen=True)
class UNet3DSampler:
    """Samples a video UNet; see samplers.base."""

    wanted: Model
    guidance: Guidance
    frame_axis = 1

    @property
    def origin(self) -> str:
        return self.wanted.checkpoint

    @property
    def weights(self) -> str:
        return weights_of(self.wanted, stable_diffusion.PARTS)

    @property
    def settings(self) -> dict[str, Any]:
        return {**self.wanted.sampling.model_dump(), **asdict(self.guidance)}

    @property
    def model(self) -> UNet3DModel:
        """The checkpoint, loaded when it is first asked for."""
        return shared(self.wanted.checkpoint, self.wanted.codec)

    @property
    def parameters(self) -> int:
        return self.model.parameters

    @property
    def noise_shape(self) -> tuple[int, ...]:
        wanted = self.wanted.sampling
        return stable_diffusion.noise_shape(self.model, wanted, wanted.frames or stable_diffusion.FRAMES)

    def prepare(self, length: int, width: int) -> None:
        stable_diffusion.check_fit(self.origin, self.model, width)
        check_own_size(self.origin, self.model, self.wanted.sampling)
        stable_diffusion.check_size(self.origin, self.model, self.wanted.sampling)

    def sample(self, embeddings: torch.Tensor, noise: torch.Tensor, unconditional: torch.Tensor | None) -> torch.Tensor:
        wanted = self.wanted.sampling
        return sample(self.model, embeddings, noise, wanted.steps, self.guidance, wanted.precision, unconditional)


def build(model: Model, guidance: Guidance, _options: Section) -> UNet3DSampler:
    """The sampler of an entry of generate.models.

    Raises:
        ValueError: if the mitigating gradient is on: HARIVO's alone has it.
    """
    if guidance.mg_scale:
        raise ValueError("the mitigating gradient is HARIVO's, a UNet3DConditionModel is sampled without it")
    return UNet3DSampler(model, guidance)
