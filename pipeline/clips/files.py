"""Clips on disk: the only module that writes video, and imports files of others. `metrics.reading.video` reads it.

A clip is uint8 (T, H, W, 3). It is stored losslessly as FFV1 (bgr0) in Matroska, written under a temporary name and
renamed, so that a file under its final name is always whole.
"""

import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SUFFIX = ".mkv"


def write_clip(path: Path, clip: np.ndarray, fps: int) -> None:
    """Write a uint8 clip (T, H, W, 3), losslessly.

    Raises:
        ValueError: if the clip is empty, narrower than the two pixels that FFV1 needs, or not of that type and shape.
    """
    if clip.dtype != np.uint8 or clip.ndim != 4 or clip.shape[-1] != 3 or 0 in clip.shape or clip.shape[2] < 2:
        raise ValueError(f"{path}: a clip must be uint8 (T, H, W >= 2, 3), found {clip.dtype} {clip.shape}")
    aside = _aside(path)
    bitexact = {"fflags": "+bitexact"}  # else Matroska writes a random id, and equal clips are unlike files
    with av.open(str(aside), "w", format="matroska", options=bitexact) as container:
        stream = container.add_stream("ffv1", rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = clip.shape[2], clip.shape[1], "bgr0"
        for frame in clip:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="bgr0")))
        container.mux(stream.encode())
    aside.replace(path)


def copy_clip(source: Path, path: Path) -> None:
    """Import a video file as it is, so that its codec stays what it was."""
    aside = _aside(path)
    shutil.copyfile(source, aside)
    aside.replace(path)


def _aside(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.tmp")
