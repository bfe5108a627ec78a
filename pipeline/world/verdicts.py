"""Whether a clip shows a mixture: every part's content, what the parts share unchanged, all in one object.

The judge's readings give the share of every part; a part is present if its share is at least half of an equal share,
1/4 of two and 1/6 of three, and the clip must keep what the parts have in common.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.world.judge import MIN_SATURATION, MIN_SPEED, Readings, hue_difference, hue_of
from pipeline.world.mixtures import WorldMixture
from pipeline.world.scene import COLOURS, DIRECTIONS, SHAPES, SIZES, TEXTURES


@dataclass(frozen=True)
class Verdict:
    """What the judge says of N clips of one mixture: presence (N, parts) bool, shared (N,) bool, whether what all
    parts have in common is shown, one_object (N,), success (N,), shares (N, parts) in [0, 1], NaN where nothing could
    be measured."""

    present: np.ndarray
    shared: np.ndarray
    one_object: np.ndarray
    success: np.ndarray
    shares: np.ndarray


def verdict(mixture: WorldMixture, readings: Readings) -> Verdict:
    """Content of every part present, what they share unchanged, all in one object: success."""
    parts = len(mixture.parts)
    mixed = zip(mixture.attributes, mixture.pairs, strict=True)
    positions = [position(attribute, a, b, readings) for attribute, (a, b) in mixed]
    if parts == 2:
        shares = np.stack([1 - positions[0], positions[0]], axis=1)
    else:
        shares = np.stack([1 - positions[0], np.minimum(positions[0], 1 - positions[1]), positions[1]], axis=1)
    with np.errstate(invalid="ignore"):
        present = shares >= 1 / (2 * parts)
    shared = _shared(mixture, readings)
    return Verdict(present, shared, readings.one_object, present.all(axis=1) & shared & readings.one_object, shares)


def _shared(mixture: WorldMixture, readings: Readings) -> np.ndarray:
    """(N,) bool: the nearest name of every attribute that is not mixed is the parts' own."""
    common = {key: value for key, value in vars(mixture.parts[0]).items() if key not in mixture.attributes}
    return np.array([all(getattr(found, key) == value for key, value in common.items()) for found in readings.names()])


def position(attribute: str, a: str, b: str, readings: Readings) -> np.ndarray:
    """Where each clip lies between two values of an attribute: 0 at a, 1 at b, clipped; NaN if not measurable.

    Colour: along the shorter arc of hues. Shape: in 1/p. Texture: in stripe contrast. Size: in radius. Motion: the
    velocity's component along b over the sum of both components; NaN when the object stands still or moves backwards
    along either direction by more than a tenth of its speed.
    """
    if attribute == "colour":
        start, end = hue_of(np.array(COLOURS[a])), hue_of(np.array(COLOURS[b]))
        value = hue_difference(start, readings.hue) / hue_difference(start, end)
        value = np.where(readings.saturation >= MIN_SATURATION, value, np.nan)
        # hues far off the arc are neither colour; nearer ones are clipped to the end that they are beyond
        value = np.where((value < -0.5) | (value > 1.5), np.nan, value)
    elif attribute == "shape":
        value = (1 / readings.exponent - 1 / SHAPES[a]) / (1 / SHAPES[b] - 1 / SHAPES[a])
    elif attribute == "texture":
        value = (readings.contrast - TEXTURES[a]) / (TEXTURES[b] - TEXTURES[a])
    elif attribute == "size":
        value = (readings.radius - SIZES[a]) / (SIZES[b] - SIZES[a])
    else:
        value = _between_directions(readings.velocity, np.array(DIRECTIONS[a]), np.array(DIRECTIONS[b]))
    return np.clip(value, 0, 1)


def _between_directions(velocity: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    along_a, along_b, speed = velocity @ a, velocity @ b, np.hypot(*velocity.T)
    valid = (speed >= MIN_SPEED) & (np.minimum(along_a, along_b) >= -0.1 * speed)
    forward_a, forward_b = np.maximum(along_a, 0), np.maximum(along_b, 0)
    return np.where(valid, forward_b / np.where(valid, forward_a + forward_b, 1), np.nan)
