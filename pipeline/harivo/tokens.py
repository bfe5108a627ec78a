"""Frame-wise tokens: K further text tokens for every frame, made from the prompt's (HARIVO, Section 3.5)."""

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import nn


class FrameTokens(ModelMixin, ConfigMixin):
    """The token generator of Appendix A: (M, D) -> (F, K, D), a convolution across tokens between linear layers."""

    @register_to_config
    def __init__(self, width: int, length: int, frames: int, per_frame: int = 3) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, width),
            nn.SiLU(),
            nn.SiLU(),  # twice, as in the paper's listing
            nn.Conv1d(length, frames * per_frame, 1, bias=False),
            nn.SiLU(),
            *(layer for _ in range(3) for layer in (nn.Linear(width, width), nn.SiLU())),
        )

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        """Text tokens (B, M, D) -> frame-wise tokens (B, F, K, D)."""
        return self.layers(text).unflatten(1, (self.config.frames, self.config.per_frame))

    def extend(self, text: torch.Tensor, frames: int) -> torch.Tensor:
        """Text tokens of every frame (B F, M, D), equal in all of them -> the same with each frame's own (B F, M + K,
        D).

        Raises:
            ValueError: if M or the number of frames is not the generator's.
        """
        wanted = (self.config.frames, self.config.length)
        if (frames, text.shape[1]) != wanted:
            found = f"{frames} frames with {text.shape[1]} text tokens"
            raise ValueError(f"{found}: the token generator was trained for {wanted[0]} with {wanted[1]}")
        own = self(text[::frames])
        return torch.cat([text, own.flatten(0, 1)], dim=1)
