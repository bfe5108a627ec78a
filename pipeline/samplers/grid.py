"""ETC: text embeddings + initial noise -> clips, by a UNet that has a frame rate.

ETC's own takes the frames of a video as one image, a grid; the baseline with temporal attention takes them one by one.
Both are folders that a training with `module: etc` wrote. Noise schedule and codec are those of the text-to-image
checkpoint that they were trained from.
"""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionOutput
from torch import nn

from pipeline.config.generate import Model
from pipeline.config.methods import Rated
from pipeline.etc.unet import RatedUNet, load_rated
from pipeline.samplers import denoising, stable_diffusion
from pipeline.samplers.decoding import decode, to_clips
from pipeline.samplers.denoising import Precision
from pipeline.samplers.guidance import Guidance, with_negative
from pipeline.samplers.stable_diffusion import ImageModel
from pipeline.weights.checkpoints import resolve, weights_of


@dataclass(frozen=True)
class GridModel(ImageModel):
    """An image model whose denoiser predicts videos at a frame rate."""

    unet: RatedUNet

    @property
    def images(self) -> ImageModel:
        """The same with the UNet alone."""
        return ImageModel(self.unet.unet, self.scheduler, self.codec)


class _AtRate(nn.Module):
    """A UNet of videos at one frame rate, as the loop calls it."""

    def __init__(self, unet: RatedUNet, fps: float) -> None:
        super().__init__()
        self.unet, self.fps = unet, fps

    def forward(self, noisy: torch.Tensor, timestep: torch.Tensor, text: torch.Tensor) -> UNet2DConditionOutput:
        return self.unet(noisy, timestep, text, torch.full((1,), self.fps, device=noisy.device))


@torch.inference_mode()
def sample(
    model: GridModel,
    embeddings: torch.Tensor,
    noise: torch.Tensor,
    fps: float,
    steps: int,
    guidance: Guidance,
    precision: Precision = "float32",
    unconditional: torch.Tensor | None = None,
) -> torch.Tensor:
    """Sample clips with DDIM and guidance.

    Args:
        embeddings: (B, n, d) float32, n and d those of the UNet.
        noise: (B, C, F, h, w), F a square number where frames make a grid.
        fps: the frame rate that is asked for, 0 … 120.
        unconditional: (n, d), what guidance steers away from; None is zeros, as the world's model was trained.

    Returns:
        uint8 clips (B, F, H, W, 3) on the CPU.
    """
    prompt, negative = with_negative(embeddings, unconditional, model.unet.unet.device)
    text, unet = torch.cat([negative, prompt]), _AtRate(model.unet, fps)
    latents = denoising.denoise(unet, model.scheduler, text, noise, steps, guidance, precision)
    return to_clips(decode(model.codec, latents.movedim(2, 1)))


@dataclass(frozen=True)
class GridSampler:
    """Samples a video model at a frame rate; see samplers.base.

    trained: its folder. rate: frames a second.
    """

    wanted: Model
    guidance: Guidance
    trained: str
    rate: float
    frame_axis = 1

    @property
    def origin(self) -> str:
        return f"{self.wanted.checkpoint} + {self.trained}"

    @property
    def weights(self) -> str:
        return weights_of(self.wanted, ("scheduler", "vae"), self.trained)

    @property
    def settings(self) -> dict[str, Any]:
        return {**self.wanted.sampling.model_dump(), **asdict(self.guidance), "rate": self.rate}

    @cached_property
    def model(self) -> GridModel:
        """The video model, put together when it is first asked for."""
        scheduler, codec = stable_diffusion.load_around(self.wanted.checkpoint, self.wanted.codec)
        return GridModel(load_rated(resolve(self.trained)).to(codec.device), scheduler, codec)

    @property
    def parameters(self) -> int:
        return self.model.parameters

    @property
    def frames(self) -> int:
        """As many as params.yaml asks for, or Stable Diffusion's 16."""
        return self.wanted.sampling.frames or stable_diffusion.FRAMES

    @property
    def noise_shape(self) -> tuple[int, ...]:
        return stable_diffusion.noise_shape(self.model.images, self.wanted.sampling, self.frames)

    def prepare(self, length: int, width: int) -> None:
        images = self.model.images
        stable_diffusion.check_fit(self.origin, images, width)
        stable_diffusion.check_size(self.origin, images, self.wanted.sampling)
        try:
            self.model.unet.check_frames(self.frames)
        except ValueError as error:
            raise ValueError(f"{self.origin}: {error}") from error

    def sample(self, embeddings: torch.Tensor, noise: torch.Tensor, unconditional: torch.Tensor | None) -> torch.Tensor:
        wanted = self.wanted.sampling
        guidance, precision = self.guidance, wanted.precision
        return sample(self.model, embeddings, noise, self.rate, wanted.steps, guidance, precision, unconditional)


def build(model: Model, guidance: Guidance, options: Rated) -> GridSampler:
    """The sampler of an entry of generate.models with a method's trained model.

    Raises:
        ValueError: if the mitigating gradient is on: HARIVO's alone has it.
    """
    if guidance.mg_scale:
        raise ValueError("the mitigating gradient is HARIVO's, a model with a frame rate is sampled without it")
    return GridSampler(model, guidance, options.trained, options.rate)
