"""Video metrics as a library of its own: features -> statistics -> metric, as separate steps.

The names below are loaded when they are first used, so that importing the package costs nothing.
"""

import os
from importlib import import_module
from typing import Any

# Torch's OpenMP spins by default: two busy processes on two cores then run many times slower. The variable is read
# when torch is first imported, so it is set here, before any module of the package can import it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

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
