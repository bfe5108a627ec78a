"""The mitigating gradient: smoother motion at sampling time, without training (HARIVO, Algorithm 1)."""

from math import log

import torch


def mitigating_gradient(clean: torch.Tensor, alpha_bar: float) -> torch.Tensor:
    """G of HARIVO's Algorithm 1, to be added to the predicted noise with the factor α: it draws every frame of the
    predicted clean latents towards the frame before; within a video, less so where the two are far apart.

    D_j = x̂_j − x̂_{j−1}, S = median_j(‖D_j‖)² / log(F − 1), ω = sqrt((1 − ᾱ) / ᾱ),
    G_j = 2 exp(−‖D_j‖² / S) D_j / S · ω, and 0 for the first frame. It is −ω times the gradient of
    Σ_j exp(−‖x̂_j − x̂_{j−1}‖² / S) by x̂_j in its own term; Eq. 7 has 2σ² for S and both terms that hold x̂_j.
    Norms are over the whole frame, so ‖G‖ goes as 1 / ‖D‖: measured by the noise it changes, the same α acts about
    eight times as strongly on the world's 512 latent values a frame as on the paper's 4,096.

    Args:
        clean: (B, C, F, h, w), predicted x_0.
        alpha_bar: ᾱ_t, in (0, 1].

    Returns:
        (B, C, F, h, w); zeros for a video that stands still.

    Raises:
        ValueError: if there are fewer than three frames, whose log(F − 1) is no scale.
    """
    frames = clean.shape[2]
    if frames < 3:
        raise ValueError(f"mitigating gradient needs at least 3 frames, found {frames}")
    steps = clean[:, :, 1:] - clean[:, :, :-1]
    norm = steps.square().sum(dim=(1, 3, 4), keepdim=True).sqrt()  # (B, 1, F - 1, 1, 1)
    scale = norm.median(dim=2, keepdim=True).values.square() / log(frames - 1)
    scale = torch.where(scale > 0, scale, torch.inf)
    omega = ((1 - alpha_bar) / alpha_bar) ** 0.5
    gradient = 2 * torch.exp(-norm.square() / scale) * steps / scale * omega
    return torch.cat([torch.zeros_like(clean[:, :, :1]), gradient], dim=2)


def mitigate(
    predicted: torch.Tensor, noisy: torch.Tensor, alpha_bar: float, prediction_type: str, scale: float
) -> torch.Tensor:
    """A model's prediction after ε ← ε + α G (HARIVO, Algorithm 1, line 5), in its own parametrisation.

    Args:
        predicted, noisy: (B, C, F, h, w). prediction_type: "epsilon" or "v_prediction". scale: α.

    Returns:
        (B, C, F, h, w); the prediction itself where ᾱ is 0, the first step of some schedules, for which ω has no value.

    Raises:
        ValueError: if the parametrisation is another one.
    """
    if not alpha_bar:
        return predicted
    signal, noise = alpha_bar**0.5, (1 - alpha_bar) ** 0.5
    if prediction_type == "epsilon":
        clean, per_noise = (noisy - noise * predicted) / signal, 1.0
    elif prediction_type == "v_prediction":
        clean, per_noise = signal * noisy - noise * predicted, 1 / signal
    else:
        raise ValueError(f"prediction_type is {prediction_type!r}, expected epsilon or v_prediction")
    return predicted + scale * per_noise * mitigating_gradient(clean, alpha_bar)
