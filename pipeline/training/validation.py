"""What trainings in the world are validated on: prompts that no training saw, and what the judge sees of them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from pipeline.world.attributes import HEADING
from pipeline.world.captions import captions
from pipeline.world.judge import judge
from pipeline.world.scene import Names, draw

if TYPE_CHECKING:  # the codec's validation needs no text encoder
    from pipeline.training.latents import CaptionedLatents

VALIDATION_SEED = 2_000_001  # prompts that no training seed draws
QUICK = 40  # prompts of every validation but the last


def unseen_prompts(n: int, known: frozenset[str]) -> tuple[list[Names], list[str]]:
    """n in-distribution prompts, none of them word for word in training, and the names they state."""
    names, _ = draw(8 * n, VALIDATION_SEED)
    pairs = [pair for pair in zip(names, captions(names, VALIDATION_SEED), strict=True) if pair[1] not in known][:n]
    return [name for name, _ in pairs], [text for _, text in pairs]


def of_unseen(
    n: int, data: "CaptionedLatents", sample: Callable[[torch.Tensor], np.ndarray]
) -> tuple[list[Names], np.ndarray]:
    """Samples of n unseen prompts, and the names they state; `sample` takes embeddings (n, tokens, d)."""
    names, texts = unseen_prompts(n, data.known)
    tokens, row = data.encoder.embed(texts)
    return names, sample(data.encoder.scaled(tokens[row]))


def noise_of_seeds(n: int, shape: Sequence[int]) -> torch.Tensor:
    """Noise (n, …) of the seeds 0 … n - 1, each its own whatever n is."""
    return torch.stack([torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) for seed in range(n)])


def judged(named: Sequence[Names], clips: np.ndarray, attributes: Sequence[str]) -> dict[str, float]:
    """`judged_shares` of clips (N, T, H, W, 3), and the share of those that show one steady object.

    "heading" among the attributes: the share whose shading shows the named motion, also in clips that stand still.
    """
    readings = judge(clips)
    shares = judged_shares(named, readings.names(), [key for key in attributes if key != HEADING])
    if HEADING in attributes:
        right = [a.motion == seen for a, seen in zip(named, readings.headings(), strict=True)]
        shares[f"judge_{HEADING}"] = float(np.mean(right))
    return shares | {"judge_one_object": float(readings.one_object.mean())}


def judged_shares(named: Sequence[Names], seen: Sequence[Names], attributes: Sequence[str]) -> dict[str, float]:
    """For each attribute, the share of samples in which the judge sees what the prompt names: {"judge_colour": …}."""
    pairs = list(zip(named, seen, strict=True))
    return {
        f"judge_{key}": float(np.mean([getattr(a, key) == getattr(b, key) for a, b in pairs])) for key in attributes
    }
