"""Err. of ETC's Table 2: whether a clip was cut out of its grid in the right places.

A clip is laid out as the grid that it came from. A frame is cut wrongly where an object goes on across a border between
two frames, or where it shows parts of several.
"""

import numpy as np
from scipy import ndimage

from pipeline.world.judge import MIN_AREA
from pipeline.world.light import MIN_DISTANCE, brightest

STRADDLES = 4  # pixels of a border with an object on both of its sides; what a decoder leaves there is less
TOLERATED = 0.25  # share of a clip's frames


def cut_wrongly(clips: np.ndarray) -> np.ndarray:
    """(N,) bool: whether more than a quarter of a clip's frames are cut wrongly (`wrong_frames`).

    Args:
        clips: uint8 (N, T, H, W, 3), T a square number.
    """
    return wrong_frames(clips).mean(axis=1) > TOLERATED


def wrong_frames(clips: np.ndarray) -> np.ndarray:
    """(N, T) bool: an object of the frame goes on in a frame beside it in the grid (Eq. 1: frames go down the columns),
    or the frame shows several.

    Raises:
        ValueError: if T is no square number.
    """
    n, frames, height, width = clips.shape[:4]
    tiles = round(frames**0.5)
    if tiles * tiles != frames:
        raise ValueError(f"clips of {frames} frames are of no grid, expected a square number")
    objects = _objects(clips.reshape(-1, height, width, 3)).reshape(n, tiles, tiles, height, width)  # column, row
    right = (objects[:, :-1, :, :, -1] & objects[:, 1:, :, :, 0]).sum(axis=-1) >= STRADDLES
    below = (objects[:, :, :-1, -1] & objects[:, :, 1:, 0]).sum(axis=-1) >= STRADDLES
    wrong = _number(objects.reshape(-1, height, width)).reshape(n, tiles, tiles) > 1
    wrong[:, :-1] |= right
    wrong[:, 1:] |= right
    wrong[:, :, :-1] |= below
    wrong[:, :, 1:] |= below
    return wrong.reshape(n, frames)


def _objects(frames: np.ndarray) -> np.ndarray:
    """What stands out from the ground, the frame's median colour: (F, H, W) bool of (F, H, W, 3)."""
    values = frames.astype(np.float32) / 255
    return brightest(np.abs(values - np.median(values, axis=(1, 2), keepdims=True))) >= MIN_DISTANCE


def _number(objects: np.ndarray) -> np.ndarray:
    """Objects of a size worth counting in each frame: (F,) of (F, H, W)."""
    within_frame = ndimage.generate_binary_structure(2, 2)[None] & np.array([0, 1, 0], bool)[:, None, None]
    labels, _ = ndimage.label(objects, within_frame)
    area = np.bincount(labels.ravel())
    frame_of = np.repeat(np.arange(len(objects)), objects[0].size)
    found = np.unique(np.stack([frame_of, labels.ravel()])[:, labels.ravel() > 0], axis=1)
    large = area[found[1]] >= MIN_AREA
    return np.bincount(found[0][large], minlength=len(objects))
