"""Noise schedule and sampling loop of the cascade's networks."""

from collections.abc import Callable

import torch
from diffusers import DDIMScheduler

Predict = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def noise_schedule(prediction_type: str = "v_prediction") -> DDIMScheduler:
    """The cosine schedule, whose last step is noise alone, with trailing timesteps; pixels are in [-1, 1].

    The paper names none. Scaled-linear betas, made for latents, would leave a frame's mean colour visible at the end.
    """
    return DDIMScheduler(
        beta_schedule="squaredcos_cap_v2",
        prediction_type=prediction_type,
        timestep_spacing="trailing",
        clip_sample=prediction_type == "v_prediction",
    )


@torch.inference_mode()
def denoise(predict: Predict, scheduler: DDIMScheduler, noise: torch.Tensor, steps: int) -> torch.Tensor:
    """What becomes of noise (B, …) in so many DDIM steps; `predict` takes what is noisy and a timestep ()."""
    scheduler.set_timesteps(steps, device=noise.device)
    sample = noise
    for timestep in scheduler.timesteps:
        sample = scheduler.step(predict(sample, timestep), timestep, sample).prev_sample
    return sample


def guided(predict: Callable[..., torch.Tensor], image: torch.Tensor, scale: float) -> Predict:
    """Classifier-free guidance towards image embeddings (B, d), away from zeros.

    Args:
        predict: (noisy, timestep, image) -> prediction. scale: 1 is none, and costs half.
    """
    if scale == 1:
        return lambda noisy, timestep: predict(noisy, timestep, image)
    both = torch.cat([torch.zeros_like(image), image])

    def combined(noisy: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        without, towards = predict(torch.cat([noisy, noisy]), timestep, both).float().chunk(2)
        return without + scale * (towards - without)

    return combined
