"""Video metrics as a library of its own: features -> statistics -> metric, as separate steps.

The names below are loaded when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "I3D": "metrics.i3d",
    "FrechetVideoDistance": "metrics.fvd",
    "frechet_distance": "metrics.fvd",
    "KernelVideoDistance": "metrics.kvd",
    "kernel_distance": "metrics.kvd",
    "CLIPSIM": "metrics.clipsim",
    "CLIPScore": "metrics.clipsim",
    "FrameConsistency": "metrics.clipsim",
    "DualEncoder": "metrics.clip",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'metrics' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
