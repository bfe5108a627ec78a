"""Deliberately bad videos of the toy world, as a collection from the web has them: to see what a filter finds."""

from collections.abc import Sequence

import numpy as np

from pipeline.world.scene import Names

KINDS = ("wrong caption", "blank frames", "noisy frames")


def spoil(
    clips: np.ndarray, captions: Sequence[str], names: Sequence[Names], share: float, seed: int
) -> tuple[np.ndarray, list[str], list[str]]:
    """Spoil a share of captioned clips, each kind equally often.

    A wrong caption is that of another clip with another colour and shape. Blank frames are black, noisy ones uniform
    noise; they are half of the clip, its beginning or its end.

    Args:
        clips: (N, T, H, W, 3) uint8. captions, names: N. share: of the clips, in [0, 1].

    Returns:
        Clips and captions in the same order, and of each the kind of KINDS, "" where nothing was done.

    Raises:
        ValueError: if the share is none, or no clip has another colour and shape to take a wrong caption from.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share: found {share:g}, expected 0 to 1")
    rng = np.random.default_rng(seed)
    clips, captions, kinds = clips.copy(), list(captions), [""] * len(clips)
    originals = list(captions)
    for i, row in enumerate(rng.permutation(len(clips))[: round(share * len(clips))]):
        kinds[row] = KINDS[i % len(KINDS)]
        if kinds[row] == "wrong caption":
            captions[row] = originals[_another(row, names, rng)]
            continue
        half = clips.shape[1] // 2
        frames = slice(0, half) if rng.random() < 0.5 else slice(half, None)
        spoilt = clips[row, frames]
        clips[row, frames] = 0 if kinds[row] == "blank frames" else rng.integers(0, 256, spoilt.shape, np.uint8)
    return clips, captions, kinds


def _another(row: int, names: Sequence[Names], rng: np.random.Generator) -> int:
    own = names[row]
    others = [i for i, name in enumerate(names) if name.colour != own.colour and name.shape != own.shape]
    if not others:
        raise ValueError(f"no clip has another colour and shape than {own.colour} and {own.shape}")
    return int(rng.choice(others))
