"""How a process that sees one clip after another holds its memory."""

import ctypes
import sys
from collections.abc import Callable

_MMAP_MAX, _TRIM_THRESHOLD, _ARENA_MAX = -4, -1, -8  # of malloc.h
_LARGEST = 2**31 - 1


def keep() -> None:
    """Have glibc keep what is freed for the next clip, which wants as much.

    By default it asks the system for every large array, and returns it: tens of thousands of page faults a clip, a
    fifth of I3D's time. Elsewhere than with glibc nothing is done. Call `tidy` now and then.
    """
    if (tune := _libc("mallopt")) is not None:
        tune(_ARENA_MAX, 1)  # those of threads other than the first hold too little for one array
        tune(_MMAP_MAX, 0)
        tune(_TRIM_THRESHOLD, _LARGEST)


def tidy() -> None:
    """Return what is free: clips of many sizes leave gaps, which would pile up."""
    if (trim := _libc("malloc_trim")) is not None:
        trim(0)


def _libc(name: str) -> Callable[..., int] | None:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
