"""What steers sampling: classifier-free guidance that depends on the timestep, and HARIVO's mitigating gradient."""

from dataclasses import dataclass

import torch
from diffusers import SchedulerMixin

from pipeline.harivo.mitigation import mitigate


@dataclass(frozen=True)
class Guidance:
    """Scale of classifier-free guidance: `early` while t > `until` T, then `late` (HARIVO, Appendix D: 10-15, then
    7.5). `early` of None is `late`. `mg_scale`: α of the mitigating gradient (HARIVO, Algorithm 1); 0 leaves it out."""

    late: float
    early: float | None = None
    until: float = 0.7
    mg_scale: float = 0.0

    def at(self, timestep: int, train_timesteps: int) -> float:
        """The scale at timestep t of T."""
        if self.early is None or timestep <= self.until * train_timesteps:
            return self.late
        return self.early

    def combine(
        self,
        without: torch.Tensor,
        with_prompt: torch.Tensor,
        noisy: torch.Tensor,
        timestep: torch.Tensor,
        scheduler: SchedulerMixin,
    ) -> torch.Tensor:
        """What the scheduler steps with, of two predictions (B, C, F, h, w) from the noisy latents at one timestep.

        Raises:
            ValueError: if the mitigating gradient is on and cannot be computed for so few frames, or for the
                scheduler's parametrisation.
        """
        scale = self.at(int(timestep), scheduler.config.num_train_timesteps)
        predicted = without + scale * (with_prompt - without)
        if not self.mg_scale:
            return predicted
        alpha_bar = float(scheduler.alphas_cumprod[timestep])
        return mitigate(predicted, noisy, alpha_bar, scheduler.config.prediction_type, self.mg_scale)


def with_negative(
    embeddings: torch.Tensor, unconditional: torch.Tensor | None, device: torch.device | str
) -> tuple[torch.Tensor, torch.Tensor]:
    """What guidance goes towards and steers away from, both (B, n, d), on the device.

    Args:
        embeddings: (B, n, d) float32. unconditional: (n, d), usually the empty prompt's embedding; None is zeros.
    """
    prompt = embeddings.to(device)
    if unconditional is None:
        return prompt, torch.zeros_like(prompt)
    return prompt, unconditional.to(device).expand_as(prompt)
