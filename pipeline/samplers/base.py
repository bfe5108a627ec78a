"""What a sampler is: one family of models, from embeddings and noise to clips."""

from typing import Any, Protocol

import torch


class Sampler(Protocol):
    """Embeddings + noise -> clips. Each family's file has such a class and `build(model, guidance, options)`.

    origin: the checkpoint, for people. weights: hash of everything that is loaded. settings: what else decides a clip,
    for fingerprints; nothing is loaded to know these. parameters: of the denoiser. noise_shape: of one clip's noise;
    frame_axis: which of its axes are the frames.
    """

    @property
    def origin(self) -> str: ...
    @property
    def weights(self) -> str: ...
    @property
    def settings(self) -> dict[str, Any]: ...
    @property
    def parameters(self) -> int: ...
    @property
    def noise_shape(self) -> tuple[int, ...]: ...
    @property
    def frame_axis(self) -> int: ...

    def prepare(self, length: int, width: int) -> None:
        """Load the model for embeddings (n = length, d = width).

        Raises:
            ValueError: if embeddings, codec, frames or guidance do not fit the model; both sizes are named.
        """
        ...

    def sample(self, embeddings: torch.Tensor, noise: torch.Tensor, unconditional: torch.Tensor | None) -> torch.Tensor:
        """uint8 clips (B, T, H, W, 3) on the CPU, of embeddings (B, n, d) and noise (B, *noise_shape).

        Args:
            unconditional: (n, d), what guidance steers away from; None is zeros.
        """
        ...
