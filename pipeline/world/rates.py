"""Scenes of the toy world at other frame rates than its own: the same objects, seen more or less often a second."""

from dataclasses import replace

import numpy as np

from pipeline.world.scene import FPS, Scenes


def at_rates(scenes: Scenes, fps: np.ndarray | float) -> Scenes:
    """The same scenes with so many frames a second, (N,) or one for all: an object goes FPS / fps times as far from one
    frame to the next. The middle of the clip stays; at a low rate an object comes into the frame and leaves it.

    Raises:
        ValueError: if a rate is not above 0: such frames have no velocity.
    """
    rates = np.broadcast_to(np.asarray(fps, np.float64), len(scenes))
    if not (rates > 0).all():
        raise ValueError(f"fps: found {rates.min():g}, expected more than 0")
    return replace(scenes, velocity=scenes.velocity * (FPS / rates)[:, None])
