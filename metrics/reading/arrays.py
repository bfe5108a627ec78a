"""Clips in files of arrays: `.npy`, `.npz` and `.safetensors`, one clip (T, H, W, 3) or several (N, T, H, W, 3).

The channels may be second or first too.
"""

import functools
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from safetensors import safe_open

from metrics.reading.errors import VideoError


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of the arrays in a file, by name, without reading them."""
    if path.suffix.lower() == ".safetensors":
        with safe_open(path, "np") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    if path.suffix.lower() == ".npy":
        with path.open("rb") as file:
            return {"": _header(file)[0]}
    with zipfile.ZipFile(path) as archive:
        shapes = {}
        for name in archive.namelist():
            with archive.open(name) as file:
                shapes[name] = _header(file)[0]
        return shapes


@functools.lru_cache(maxsize=2)
def _archived(path: Path, member: str, _changed: int) -> IO[bytes]:
    """A member of an archive, kept open: its arrays are unpacked once where they are read one after the other."""
    return zipfile.ZipFile(path).open(member)


def read_array(path: Path, member: str, index: int | None) -> np.ndarray:
    """One clip of a file of arrays; of several along the first axis, the others are not read.

    Raises:
        VideoError: if it holds no plain numbers in C's order.
    """
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        with safe_open(path, "np") as file:
            part = file.get_slice(member)
            return part[:] if index is None else part[index]
    if suffix == ".npy":
        with path.open("rb") as file:
            return _stored(file, _header(file), file.tell(), index)
    with zipfile.ZipFile(path).open(member) as file:
        header, start = _header(file), file.tell()
    return _stored(_archived(path, member, path.stat().st_mtime_ns), header, start, index)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether in Fortran's order, and type of a stored array."""
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    return read_header[np.lib.format.read_magic(file)](file)


def _stored(
    file: IO[bytes], header: tuple[tuple[int, ...], bool, np.dtype], start: int, index: int | None
) -> np.ndarray:
    """An array of a file, or one along its first axis; its numbers begin at `start`."""
    shape, fortran, dtype = header
    if dtype.hasobject:
        raise VideoError("holds Python objects, expected numbers")
    if fortran and len(shape) > 1:
        raise VideoError("stored in Fortran's order, expected C's")
    own = shape if index is None else shape[1:]
    size = int(np.prod(own)) * dtype.itemsize
    file.seek(start + (index or 0) * size)
    return np.frombuffer(file.read(size), dtype).reshape(own)


_LAYOUTS = {  # where the channels are, and how a clip gets from there to the end
    "(T, H, W, 3)": (3, (0, 1, 2, 3)),
    "(T, 3, H, W)": (1, (0, 2, 3, 1)),
    "(3, T, H, W)": (0, (1, 2, 3, 0)),
}


def channels_last(clip: np.ndarray) -> np.ndarray:
    """A clip (T, H, W, 3) from one whose channels are last, second or first.

    A layout that makes frames 3 pixels high or wide is not considered where there is another.

    Raises:
        VideoError: if it is of none of these layouts, or of several.
    """
    if clip.ndim != 4 or 0 in clip.shape[1:]:
        raise VideoError(f"array of shape {clip.shape}, expected one of {', '.join(_LAYOUTS)}")
    found = {name: order for name, (axis, order) in _LAYOUTS.items() if clip.shape[axis] == 3}
    large = {name: order for name, order in found.items() if 3 not in (clip.shape[order[1]], clip.shape[order[2]])}
    found = large or found
    if len(found) > 1:
        raise VideoError(f"array of shape {clip.shape} may be {' or '.join(found)}: store it as (T, H, W, 3)")
    if not found:
        raise VideoError(f"array of shape {clip.shape}, expected one of {', '.join(_LAYOUTS)}")
    return clip.transpose(*found.popitem()[1])


def eight_bits(clips: np.ndarray) -> np.ndarray:
    """uint8 from uint8, or from float in [0, 1], rounded.

    Raises:
        VideoError: if the numbers are of another type or range.
    """
    if clips.dtype == np.uint8:
        return clips
    if clips.dtype.kind != "f":
        raise VideoError(f"array of {clips.dtype}, expected uint8 or float in [0, 1]")
    if not (clips.min() >= 0 and clips.max() <= 1):  # also true of NaN
        raise VideoError(f"floats in [{clips.min():g}, {clips.max():g}], expected [0, 1]")
    return np.round(clips.astype(np.float64) * 255).astype(np.uint8)
