"""Decoded frames and pictures -> RGB as a player shows it: upright, and opaque.

Cameras store frames as the sensor has them and say beside them how to turn them: a display matrix in videos, an
orientation in pictures' EXIF. Transparent pixels are laid over white. FFmpeg keeps white under the transparent pixels
of a GIF, so that a reader that knows no alpha sees the same; and it is what a browser shows a GIF or PNG on.
"""

from typing import Any

import numpy as np
from PIL import Image, ImageOps

from metrics.reading.errors import VideoError

_THREADS = 1  # of the conversion to RGB: more cost a small frame more than they save, and workers share the cores
RULE = "upright, alpha over white"  # change it when other pixels come out: it names cached features


def of_frame(frame: Any) -> np.ndarray:
    """RGB, uint8 (H, W, 3), of an av.VideoFrame.

    Raises:
        VideoError: if it is to be turned by no right angle.
    """
    stored, matrix = _opaque_frame(frame), display_matrix(frame)
    return stored if matrix is None else turned(stored, matrix)


def of_image(image: Image.Image) -> np.ndarray:
    """RGB, uint8 (H, W, 3), of a picture with 8 bits a channel."""
    return _opaque(ImageOps.exif_transpose(image))


def has_alpha(frame: Any) -> bool:
    """Whether a frame's format has transparency, used or not; a palette's entries may have it."""
    return frame.format.has_palette or any(part.is_alpha for part in frame.format.components)


def display_matrix(frame: Any) -> np.ndarray | None:
    """(3, 3) int32 of FFmpeg's AV_FRAME_DATA_DISPLAYMATRIX, None where the frame is shown as it is stored.

    A pixel (x, y) is shown at [x, y, 1] times the matrix; the numbers are fixed point, 16.16 but for the last column.
    """
    stored = frame.side_data.get("DISPLAYMATRIX")
    return None if stored is None else np.frombuffer(bytes(stored), np.int32).reshape(3, 3)


def turned(pixels: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Pixels (H, W, 3) as a display matrix shows them: one of the eight ways to turn and mirror a picture.

    Raises:
        VideoError: if the matrix turns by no right angle.
    """
    (xx, xy), (yx, yy) = matrix[:2, :2].tolist()
    if xx and yy and not (xy or yx):
        across, down = xx, yy
    elif xy and yx and not (xx or yy):  # x is shown downwards, y across
        pixels, across, down = pixels.swapaxes(0, 1), yx, xy
    else:
        raise VideoError(f"its display matrix is {[[xx, xy], [yx, yy]]}, expected a turn by a right angle")
    return pixels[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1]


def _opaque_frame(frame: Any) -> np.ndarray:
    """RGB of a frame over white. Alpha that is 0 everywhere is a byte that is not used, as in uncompressed AVI."""
    if not has_alpha(frame):
        return frame.to_ndarray(format="rgb24", threads=_THREADS)
    pixels = frame.to_ndarray(format="rgba", threads=_THREADS)
    return _opaque(Image.fromarray(pixels)) if pixels[..., 3].any() else pixels[..., :3]


def _opaque(image: Image.Image) -> np.ndarray:
    """RGB of a picture over white."""
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))
