"""Video metrics as a library of its own: features -> statistics -> metric, as separate steps.

The names below are loaded when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "I3D": "metrics.networks.i3d",
    "FrechetVideoDistance": "metrics.distances.stateful",
    "frechet_distance": "metrics.distances.fvd",
    "KernelVideoDistance": "metrics.distances.stateful",
    "kernel_distance": "metrics.distances.kvd",
    "CLIPSIM": "metrics.distances.stateful",
    "CLIPScore": "metrics.distances.stateful",
    "FrameConsistency": "metrics.distances.stateful",
    "DualEncoder": "metrics.networks.clip",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'metrics' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
