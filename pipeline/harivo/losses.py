"""The regularisation towards the text-to-image model, and the total loss (HARIVO, Equations 2 and 5)."""

from dataclasses import dataclass

import torch
from diffusers import SchedulerMixin


def regularisation(
    video: torch.Tensor, images: torch.Tensor, timestep: torch.Tensor, scheduler: SchedulerMixin
) -> torch.Tensor:
    """L_reg = λ_t ‖ε_video − ε_images‖², λ_t = 1 − t / T (HARIVO, Eq. 2), the mean over all values as in Eq. 1.

    Both predictions are of the same noisy latents. A model that predicts v has ε = √ᾱ v + √(1 − ᾱ) x_t, so the squared
    difference of ε is ᾱ_t times that of v: λ_t is the weight that the paper gives to ε, whatever is predicted.

    Args:
        video: (B, C, F, h, w), prediction of the whole model, in the scheduler's parametrisation; images: that of the
            text-to-image model behind the same mapping network. timestep: (B,), of T = the scheduler's train timesteps.
    """
    weight = 1 - timestep.float() / scheduler.config.num_train_timesteps
    if scheduler.config.prediction_type == "v_prediction":
        weight = weight * scheduler.alphas_cumprod.to(timestep.device)[timestep]
    return (weight * (video - images).square().flatten(1).mean(dim=1)).mean()


@dataclass(frozen=True)
class LossWeights:
    """λ_TRS, λ_reg and λ_DC; a loss of weight 0 is not computed."""

    trs: float = 0.0
    reg: float = 0.0
    dc: float = 0.0


def total(simple: torch.Tensor, weights: LossWeights, **others: torch.Tensor) -> torch.Tensor:
    """L_all = L_simple + λ_TRS L_TRS + λ_reg L_reg + λ_DC L_DC (HARIVO, Eq. 5), of the losses that were computed."""
    return simple + sum((getattr(weights, name) * loss for name, loss in others.items()), start=torch.zeros(()))
