"""What trainings of a text-to-image model share: its prediction in training, and images of prompts as the judge reads
them."""

import numpy as np
import torch
from torch import nn

from pipeline.samplers.stable_diffusion import ImageModel, sample
from pipeline.training.denoising import Noising, denoising_loss
from pipeline.training.latents import CaptionedLatents
from pipeline.training.task import Losses
from pipeline.training.validation import noise_of_seeds
from pipeline.world.scene import FRAMES


def image_loss(images: ImageModel, model: nn.Module, batch: Noising) -> Losses:
    """L_simple of a UNet, as accelerate prepared it, on latents (B, C, h, w)."""
    return Losses(
        denoising_loss(images.scheduler, batch, lambda noisy, timestep, text: model(noisy, timestep, text).sample)
    )


def sample_images(
    images: ImageModel, data: CaptionedLatents, text: torch.Tensor, steps: int, guidance: float
) -> np.ndarray:
    """Images (n, H, W, 3) of embeddings (n, tokens, d), of the size that is trained."""
    noise = noise_of_seeds(len(text), data.latents.shape[2:])
    unconditional = data.encoder.scaled(data.encoder.empty)
    return sample(images, text, noise, steps, guidance, unconditional).numpy()


def standing(images: np.ndarray) -> np.ndarray:
    """Images (n, H, W, 3) as clips (n, T, H, W, 3) that stand still."""
    return np.repeat(images[:, None], FRAMES, axis=1)
