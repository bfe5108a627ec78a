"""The decoupled contrastive loss on h-space: all frames of a video mean the same thing (HARIVO, Section 3.4)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from diffusers import UNetMotionModel
from torch import nn
from torch.nn import functional as F

TEMPERATURE = 0.1
_NONE = -1e4  # e to the power of it is 0
_TINY = 1e-12


@contextmanager
def bottleneck(unet: UNetMotionModel) -> Iterator[list[torch.Tensor]]:
    """Collect h-space, the output (B F, C, s, s) of the UNet's deepest block, during the block."""
    features: list[torch.Tensor] = []
    handle = unet.mid_block.register_forward_hook(lambda _module, _inputs, output: features.append(output))
    try:
        yield features
    finally:
        handle.remove()


@dataclass(frozen=True)
class Contrasted:
    """L_DC of a batch, (), and what shows whether it learns: means over videos, ().

    loss. over_chance: L_DC − ln of the number of negatives: 0 where these have the positive's cosine, as projections
    without meaning do; −1 / τ where the positive's is 1 and theirs are 0. positive, negative: the cosine of two frames
    of a video, and of a frame and its negatives.
    """

    loss: torch.Tensor
    over_chance: torch.Tensor
    positive: torch.Tensor
    negative: torch.Tensor

    @property
    def measures(self) -> dict[str, torch.Tensor]:
        """All but the loss, by name."""
        return {"over_chance": self.over_chance, "positive": self.positive, "negative": self.negative}


class MedianLimit(nn.Module):
    """Passes features on, and limits the norm of the gradient that comes back to the median of the last ones.

    L_DC compares a batch with projections of earlier steps, the queue. Where the network has moved since, its gradient
    can be a hundred times that of L_simple, and clipped as a whole such a step has next to nothing of the other losses.
    Ours: the paper clips nothing apart. The norms are a buffer, so that a run that is killed continues with them. Where
    processes share a batch, all of them go by the norm of the whole batch's gradient; `gather` gives the norm of each.
    """

    def __init__(self, gather: Callable[[torch.Tensor], torch.Tensor], length: int = 200) -> None:
        super().__init__()
        self.gather = gather
        self.register_buffer("norms", torch.zeros(length))
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The same features; gradients that reach them on other ways are not limited."""
        if not features.requires_grad:
            return features
        passed = features.view_as(features)
        passed.register_hook(self._limited)
        return passed

    @torch.no_grad()
    def _limited(self, gradient: torch.Tensor) -> torch.Tensor:
        norms = self.gather(gradient.norm()[None])
        # a gradient through gathered rows is the sum over the processes, of which the mean is taken later
        norm = norms[0] if len(norms) == 1 else norms.norm() / len(norms)
        self.norms[int(self.seen) % len(self.norms)] = norm
        self.seen += 1
        return gradient * (self.norms[: int(self.seen)].median() / norm.clamp(min=_TINY)).clamp(max=1)


class Contrast(nn.Module):
    """Projection g of the bottleneck's features, and the queue of earlier projections, the negatives.

    Used in training only. The queue is a buffer, so that a run that is killed continues with it; `filled` counts the
    projections that it holds. `gather` gives the rows of all processes where several share a batch: each then has the
    loss and the queue of the whole batch. `other_content`: whether negatives that show what a video itself shows are
    left out of its sum (the paper has dissimilar frames of other videos in it). `limit`: whether what the network gets
    of its gradient is limited (MedianLimit).
    """

    def __init__(
        self,
        channels: int,
        size: int,
        length: int,
        other_content: bool = False,
        limit: bool = False,
        gather: Callable[[torch.Tensor], torch.Tensor] = lambda rows: rows,
    ) -> None:
        super().__init__()
        self.gather, self.other_content = gather, other_content
        self.limit: nn.Module = MedianLimit(gather) if limit else nn.Identity()
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
        self.register_buffer("shown", torch.zeros(length, dtype=torch.long))  # by the queue's projections
        self.register_buffer("filled", torch.zeros((), dtype=torch.long))
        self.register_buffer("next", torch.zeros((), dtype=torch.long))

    def forward(self, bottleneck: torch.Tensor, pair: torch.Tensor, content: torch.Tensor) -> Contrasted:
        """L_DC of a batch; its projections become negatives of the next.

        Args:
            bottleneck: (B, F, C, s, s), the deepest features of every frame.
            pair: (B, 2), two frames of each video. content: (B,), a number of what each video shows.
        """
        bottleneck = self.limit(bottleneck)
        video = torch.arange(len(bottleneck), device=bottleneck.device)
        projected = [F.normalize(self.project(bottleneck[video, pair[:, i]]), dim=1) for i in (0, 1)]
        first, second = (self.gather(rows) for rows in projected)
        content, filled = self.gather(content), int(self.filled)
        counted = content[:, None] != self.shown[None, :filled] if self.other_content else None
        contrasted = decoupled_contrast(first, second, self.queue[:filled].clone(), counted)
        self._enqueue(torch.cat([first, second]).detach(), content.repeat(2))
        return contrasted

    @torch.no_grad()
    def _enqueue(self, projected: torch.Tensor, content: torch.Tensor) -> None:
        length = len(self.queue)
        rows = (int(self.next) + torch.arange(len(projected), device=projected.device)) % length
        self.queue[rows], self.shown[rows] = projected.to(self.queue.dtype), content
        self.next.fill_((int(self.next) + len(projected)) % length)
        self.filled.fill_(min(int(self.filled) + len(projected), length))


def decoupled_contrast(
    first: torch.Tensor,
    second: torch.Tensor,
    queue: torch.Tensor,
    counted: torch.Tensor | None = None,
    temperature: float = TEMPERATURE,
) -> Contrasted:
    """L_DC = −⟨z1, z2⟩ / τ + log Σ_{q∈Q} exp(⟨z1, zq⟩ / τ), the mean over videos (HARIVO, Eq. 4).

    The positive is left out of the sum: that is what decouples it. The projections have unit length, as in decoupled
    contrastive learning; of a video without negatives only the first term is left.

    Args:
        first, second: (B, C), two frames of each video. queue: (Q, C), frames of other videos. counted: (B, Q), which
            of them are negatives of which video; None: all of all.
    """
    positive = (first * second).sum(dim=1)
    if counted is None:
        counted = torch.ones(len(first), len(queue), dtype=torch.bool, device=first.device)
    number = counted.sum(dim=1)
    if not number.any():
        loss = -positive.mean() / temperature
        return Contrasted(loss, loss.detach(), positive.mean().detach(), torch.zeros((), device=first.device))
    cosines = first @ queue.T
    # a finite number in place of −∞, whose gradient would be NaN where a video has no negative
    sums = (cosines / temperature).masked_fill(~counted, _NONE).logsumexp(dim=1).where(number > 0, 0.0)
    losses = sums - positive / temperature
    over = losses - number.clamp(min=1).log()
    return Contrasted(losses.mean(), over.mean().detach(), positive.mean().detach(), cosines[counted].mean().detach())
