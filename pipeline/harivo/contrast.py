"""The decoupled contrastive loss on h-space: all frames of a video mean the same thing (HARIVO, Section 3.4)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from diffusers import UNetMotionModel
from torch import nn
from torch.nn import functional as F

TEMPERATURE = 0.1


@contextmanager
def bottleneck(unet: UNetMotionModel) -> Iterator[list[torch.Tensor]]:
    """Collect h-space, the output (B F, C, s, s) of the UNet's deepest block, during the block."""
    features: list[torch.Tensor] = []
    handle = unet.mid_block.register_forward_hook(lambda _module, _inputs, output: features.append(output))
    try:
        yield features
    finally:
        handle.remove()


class Contrast(nn.Module):
    """Projection g of the bottleneck's features, and the queue of earlier projections, the negatives.

    Used in training only. The queue is a buffer, so that a run that is killed continues with it; `filled` counts the
    projections that it holds. `gather` gives the rows of all processes where several share a batch: each then has the
    loss and the queue of the whole batch.
    """

    def __init__(
        self,
        channels: int,
        size: int,
        length: int,
        gather: Callable[[torch.Tensor], torch.Tensor] = lambda rows: rows,
    ) -> None:
        super().__init__()
        self.gather = gather
        self.project = nn.Sequential(
            nn.Conv2d(channels, channels, size, bias=False),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(channels, channels),
            nn.SiLU(),
            nn.Linear(channels, channels),
            nn.SiLU(),
            nn.Linear(channels, channels),
        )
        self.register_buffer("queue", torch.zeros(length, channels))
        self.register_buffer("filled", torch.zeros((), dtype=torch.long))
        self.register_buffer("next", torch.zeros((), dtype=torch.long))

    def forward(self, bottleneck: torch.Tensor, pair: torch.Tensor) -> torch.Tensor:
        """L_DC of a batch; its projections become negatives of the next.

        Args:
            bottleneck: (B, F, C, s, s), the deepest features of every frame.
            pair: (B, 2), two frames of each video.
        """
        video = torch.arange(len(bottleneck), device=bottleneck.device)
        projected = [F.normalize(self.project(bottleneck[video, pair[:, i]]), dim=1) for i in (0, 1)]
        first, second = (self.gather(rows) for rows in projected)
        loss = decoupled_contrastive_loss(first, second, self.queue[: int(self.filled)].clone())
        self._enqueue(torch.cat([first, second]).detach())
        return loss

    @torch.no_grad()
    def _enqueue(self, projected: torch.Tensor) -> None:
        length = len(self.queue)
        rows = (int(self.next) + torch.arange(len(projected), device=projected.device)) % length
        self.queue[rows] = projected.to(self.queue.dtype)
        self.next.fill_((int(self.next) + len(projected)) % length)
        self.filled.fill_(min(int(self.filled) + len(projected), length))


def decoupled_contrastive_loss(
    first: torch.Tensor, second: torch.Tensor, queue: torch.Tensor, temperature: float = TEMPERATURE
) -> torch.Tensor:
    """L_DC = −⟨z1, z2⟩ / τ + log Σ_{q∈Q} exp(⟨z1, zq⟩ / τ), the mean over videos (HARIVO, Eq. 4).

    The positive is left out of the sum: that is what decouples it. The projections have unit length, as in decoupled
    contrastive learning; with an empty queue only the first term is left.

    Args:
        first, second: (B, C), two frames of each video. queue: (Q, C), frames of other videos.
    """
    positive = (first * second).sum(dim=1) / temperature
    if not len(queue):
        return -positive.mean()
    return (torch.logsumexp(first @ queue.T / temperature, dim=1) - positive).mean()
