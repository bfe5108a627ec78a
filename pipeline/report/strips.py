"""Clips as small animated pictures that play in any browser without a script."""

from pathlib import Path

import numpy as np
from PIL import Image

LOSSLESS_SIDE, MAX_SIDE = 256, 360  # pixels: larger clips are stored lossily, and scaled down to the second


def write_picture(clip: np.ndarray, path: Path, fps: int) -> None:
    """Write a uint8 clip (T, H, W, 3) as an endless animated WebP."""
    path.parent.mkdir(parents=True, exist_ok=True)
    side = max(clip.shape[1:3])
    images = [Image.fromarray(frame) for frame in clip]
    if side > MAX_SIDE:
        size = (clip.shape[2] * MAX_SIDE // side, clip.shape[1] * MAX_SIDE // side)
        images = [image.resize(size, Image.Resampling.LANCZOS) for image in images]
    images[0].save(
        path,
        save_all=True,
        append_images=images[1:],
        duration=round(1000 / fps),
        loop=0,
        lossless=side <= LOSSLESS_SIDE,
        quality=80,
        minimize_size=False,
    )
