"""The loop from noise to latents that image and video UNets share: DDIM with guidance."""

from typing import Literal

import torch
from diffusers import DDIMScheduler
from torch import nn

from pipeline.samplers.guidance import Guidance

Precision = Literal["float32", "bfloat16"]


@torch.inference_mode()
def denoise(
    unet: nn.Module,
    scheduler: DDIMScheduler,
    text: torch.Tensor,
    noise: torch.Tensor,
    steps: int,
    guidance: Guidance,
    precision: Precision,
) -> torch.Tensor:
    """Latents (B, C, …) of noise (B, C, …).

    Args:
        text: (2 B, n, d) for images, (2 B F, n, d) for videos: what guidance steers away from, then the prompts.
        precision: what the UNet computes in; everything around it is float32.
    """
    latents = noise.to(text.device)
    scheduler.set_timesteps(steps, device=text.device)
    for timestep in scheduler.timesteps:
        with torch.autocast(text.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            both = unet(torch.cat([latents, latents]), timestep, text).sample
        predicted = guidance.combine(*both.float().chunk(2), latents, timestep, scheduler)
        latents = scheduler.step(predicted, timestep, latents).prev_sample
    return latents
