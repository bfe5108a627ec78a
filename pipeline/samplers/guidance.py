"""What steers sampling: classifier-free guidance that depends on the timestep, and HARIVO's mitigating gradient."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Guidance:
    """Scale of classifier-free guidance: `early` while t > `until` T, then `late` (HARIVO, Appendix D: 10-15, then
    7.5). `early` of None is `late`."""

    late: float
    early: float | None = None
    until: float = 0.7

    def at(self, timestep: int, train_timesteps: int) -> float:
        """The scale at timestep t of T."""
        if self.early is None or timestep <= self.until * train_timesteps:
            return self.late
        return self.early


def with_negative(
    embeddings: torch.Tensor, unconditional: torch.Tensor | None, scale: float, device: torch.device | str
) -> tuple[torch.Tensor, torch.Tensor]:
    """What guidance goes towards and steers away from, both (B, n, d), scaled and on the device.

    Args:
        embeddings: (B, n, d) float32. unconditional: (n, d), usually the empty prompt's embedding; None is zeros.
    """
    prompt = (embeddings * scale).to(device)
    if unconditional is None:
        return prompt, torch.zeros_like(prompt)
    return prompt, (unconditional * scale).to(device).expand_as(prompt)
