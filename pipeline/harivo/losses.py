"""The regularisation towards the text-to-image model, and the total loss (HARIVO, Equations 2 and 5)."""

from dataclasses import dataclass

import torch


def regularisation(
    video: torch.Tensor, images: torch.Tensor, timestep: torch.Tensor, train_timesteps: int
) -> torch.Tensor:
    """L_reg = λ_t ‖f_video − f_images‖², λ_t = 1 − t / T (HARIVO, Eq. 2), the mean over all values as in Eq. 1.

    Args:
        video: (B, C, F, h, w), prediction of the whole model; images: that of the text-to-image model behind the same
            mapping network. timestep: (B,), of T = `train_timesteps`.
    """
    weight = 1 - timestep.float() / train_timesteps
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
