"""Clips as every browser plays them. Not in `pipeline.clips.files`, which writes the clips of a run: what makes clips
must not change with what shows them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def write_for_browsers(path: Path, clip: np.ndarray, fps: float) -> None:
    """Write a uint8 clip (T, H, W, 3) as every browser plays it: H.264, yuv420p, MP4 that can start before it is whole.

    Nothing but the pixels and the frame rate decides the file's bytes: no metadata, one thread.

    Raises:
        ValueError: if the clip is empty, not of that type and shape, or of an odd height or width.
    """
    if (
        clip.dtype != np.uint8
        or clip.ndim != 4
        or clip.shape[-1] != 3
        or 0 in clip.shape
        or any(side % 2 for side in clip.shape[1:3])
    ):
        raise ValueError(f"{path}: a clip must be uint8 (T, even H, even W, 3), found {clip.dtype} {clip.shape}")
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.tmp")
    with av.open(str(aside), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = clip.shape[2], clip.shape[1], "yuv420p"
        stream.options = {"crf": "16", "preset": "medium", "flags": "+bitexact"}
        stream.codec_context.thread_count = 1
        for frame in clip:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="yuv420p")))
        container.mux(stream.encode())
    aside.replace(path)
