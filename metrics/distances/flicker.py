"""Flicker from pixels alone: VBench's temporal flickering (Huang et al. 2024, section 3.2)."""

from itertools import pairwise

import numpy as np


def temporal_flickering(clip: np.ndarray) -> float:
    """(255 - MAE) / 255 of a clip uint8 (T, H, W, 3), T >= 2: 1 for a still picture, 0 for black and white in turn.

    MAE is the mean absolute difference of neighbouring frames over pixels and channels, in [0, 255]. VBench asks it of
    prompts for still scenes alone, because it cannot tell motion from flicker.

    Raises:
        ValueError: if there are fewer than two frames.
    """
    if len(clip) < 2:
        raise ValueError(f"temporal flickering wants at least 2 frames, found {len(clip)}")
    frames = clip.astype(np.int16)
    return 1 - float(np.mean([np.abs(b - a).mean() for a, b in pairwise(frames)])) / 255
