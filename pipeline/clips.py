"""Clips on disk: reads and writes video, and is the only module that does.

A clip is uint8 (T, H, W, 3). It is stored losslessly as FFV1 (bgr0) in Matroska, written under a temporary name and
renamed, so that a file under its final name is always whole.
"""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SUFFIX = ".mkv"


class ClipError(ValueError):
    """A clip file that cannot be read; the message names it."""


def write_clip(path: Path, clip: np.ndarray, fps: int) -> None:
    """Write a uint8 clip (T, H, W, 3), losslessly.

    Raises:
        ValueError: if the clip is empty, narrower than the two pixels that FFV1 needs, or not of that type and shape.
    """
    if clip.dtype != np.uint8 or clip.ndim != 4 or clip.shape[-1] != 3 or 0 in clip.shape or clip.shape[2] < 2:
        raise ValueError(f"{path}: a clip must be uint8 (T, H, W >= 2, 3), found {clip.dtype} {clip.shape}")
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.tmp")
    with av.open(str(aside), "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = clip.shape[2], clip.shape[1], "bgr0"
        for frame in clip:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="bgr0")))
        container.mux(stream.encode())
    aside.replace(path)


def read_clip(path: Path) -> np.ndarray:
    """Read a clip as uint8 (T, H, W, 3).

    Raises:
        ClipError: if the file is missing, damaged or holds no frame.
    """
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    except (av.FFmpegError, OSError, IndexError) as error:
        raise ClipError(f"{path}: cannot be decoded: {error}") from error
    if not frames:
        raise ClipError(f"{path}: holds no frame")
    return np.stack(frames)
