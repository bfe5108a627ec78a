"""HARIVO's four binary attributes of a clip (Table A2), measured by the judge against what the caption names, and a
fifth beside them: where single frames say that the object is going, which the paper's annotators did not check."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.world.captions import MOTIONS, SYNONYMS
from pipeline.world.judge import Readings
from pipeline.world.scene import Names

CONTENT = ("colour", "shape", "texture", "size")
MAX_ROUGHNESS = 0.5  # pixels, root mean square off a straight, even path: real clips stay below, see docs/world.md
ATTRIBUTES = ("content", "action", "smooth", "not_weird")
AVERAGE = "average"  # of the four
HEADING = "heading"  # not one of the four


@dataclass(frozen=True)
class Attributes:
    """Five booleans (N,) for N clips.

    content: colour, shape, and of texture and size what the caption states, are those of its names. action: the motion
    is. smooth: one visible object on an even path. not_weird: one object from start to end that stays what it is and
    does not move backwards. heading: the shading's direction is the named one, whether or not it moves there.
    """

    content: np.ndarray
    action: np.ndarray
    smooth: np.ndarray
    not_weird: np.ndarray
    heading: np.ndarray

    @property
    def average(self) -> np.ndarray:
        """(N,), the mean of the four: 0, 0.25 … 1."""
        return np.mean([getattr(self, name) for name in ATTRIBUTES], axis=0)


def attributes(names: Sequence[Names], captions: Sequence[str], readings: Readings) -> Attributes:
    """Judge N clips against the names that their captions state."""
    found = readings.names()
    content = [
        all(getattr(seen, key) == getattr(name, key) for key in CONTENT if states(text, key, name))
        for seen, name, text in zip(found, names, captions, strict=True)
    ]
    with np.errstate(invalid="ignore"):
        smooth = (readings.roughness <= MAX_ROUGHNESS) & (readings.presence >= 1)
    return Attributes(
        content=np.array(content, bool),
        action=np.array([seen.motion == name.motion for seen, name in zip(found, names, strict=True)], bool),
        smooth=smooth,
        not_weird=np.asarray(readings.one_object, bool),
        heading=np.array([seen == name.motion for seen, name in zip(readings.headings(), names, strict=True)], bool),
    )


def states(caption: str, attribute: str, names: Names) -> bool:
    """Whether a caption says its attribute's value: some leave the size, or the word "plain", out."""
    value = getattr(names, attribute)
    words = MOTIONS.get(value, ()) if attribute == "motion" else SYNONYMS.get(value, (value,))
    return any(re.search(rf"\b{word}\b", caption.lower()) for word in words)
