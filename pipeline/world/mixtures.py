"""Mixtures of the world: what lies between two names, how a guide prompt calls it, and whether a clip shows it.

A mixture has two parts that differ in one attribute (a red and a blue circle; guide: "a purple circle"), or three:
the first two differ in one attribute, the third in another one from both (and shares the second's value in the
first). The judge's readings give the share of every part; a part is present if its share is at least half of an equal
share, 1/4 of two and 1/6 of three, and the clip must keep what the parts have in common.
"""

import re
from dataclasses import dataclass, replace

import numpy as np

from pipeline.world.captions import CANONICAL, canonical
from pipeline.world.judge import MIN_SATURATION, MIN_SPEED, Readings, hue_difference, hue_of
from pipeline.world.scene import COLOURS, DIRECTIONS, SHAPES, SIZES, TEXTURES, Names

BETWEEN: dict[str, dict[tuple[str, str], str]] = {
    "colour": {
        ("red", "yellow"): "orange",
        ("red", "blue"): "purple",
        ("green", "blue"): "turquoise",
        ("yellow", "green"): "lime",
    },
    "shape": {("circle", "square"): "rounded square", ("circle", "diamond"): "rounded diamond"},
    "texture": {("plain", "striped"): "faintly striped"},
    "size": {("small", "large"): "medium"},
    "motion": {
        ("right", "up"): "diagonally to the upper right",
        ("left", "up"): "diagonally to the upper left",
        ("right", "down"): "diagonally to the lower right",
        ("left", "down"): "diagonally to the lower left",
    },
}
_NEUTRAL = frozenset({"to", "the", "right", "left", "square", "diamond", "striped"})  # training words in the above
MIXTURE_WORDS = frozenset(
    word for pairs in BETWEEN.values() for phrase in pairs.values() for word in phrase.split()
) - _NEUTRAL  # fmt: skip


@dataclass(frozen=True)
class WorldMixture:
    """Two or three parts and the attributes in which they differ: one for two parts, two for three."""

    id: str
    parts: tuple[Names, ...]
    attributes: tuple[str, ...]

    @property
    def guide(self) -> str:
        """The prompt that names the mixture itself."""
        words = vars(self.parts[0]).copy()
        for attribute, (a, b) in zip(self.attributes, self.pairs, strict=True):
            words[attribute] = BETWEEN[attribute][a, b]
        return CANONICAL.format(**words)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """For every attribute, the two values that are mixed: (part 1, part 2), and (part 2, part 3)."""
        steps = zip(self.attributes, self.parts[:-1], self.parts[1:], strict=True)
        return tuple((getattr(a, attribute), getattr(b, attribute)) for attribute, a, b in steps)


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


_CONTEXTS = {
    # attribute: the scenes in which each of its pairs is mixed
    "colour": (
        Names("red", "circle", "plain", "large", "right"),
        Names("red", "square", "plain", "small", "up"),
    ),
    "shape": (
        Names("red", "circle", "plain", "large", "right"),
        Names("blue", "circle", "plain", "large", "down"),
        Names("yellow", "circle", "striped", "large", "left"),
    ),
    "texture": (
        Names("red", "circle", "plain", "large", "left"),
        Names("blue", "square", "plain", "large", "right"),
        Names("green", "diamond", "plain", "large", "up"),
    ),
    "size": (
        Names("red", "circle", "plain", "small", "down"),
        Names("blue", "square", "striped", "small", "right"),
        Names("green", "diamond", "plain", "small", "left"),
    ),
    "motion": (
        Names("yellow", "circle", "plain", "small", "right"),
        Names("blue", "square", "plain", "large", "right"),
    ),
}
_TRIPLES = (
    # first part, (attribute, value of parts 2 and 3), (attribute, value of part 3)
    (Names("red", "circle", "plain", "small", "right"), ("colour", "blue"), ("size", "large")),
    (Names("red", "circle", "plain", "large", "left"), ("colour", "yellow"), ("shape", "square")),
    (Names("green", "circle", "plain", "large", "up"), ("colour", "blue"), ("texture", "striped")),
    (Names("yellow", "circle", "plain", "large", "right"), ("shape", "diamond"), ("motion", "down")),
    (Names("blue", "square", "plain", "small", "left"), ("size", "large"), ("motion", "up")),
)


def world_mixtures() -> list[WorldMixture]:
    """The world's mixtures: every pair of BETWEEN in every context, then the triples."""
    pairs = [
        _pair(attribute, a, b, context)
        for attribute, contexts in _CONTEXTS.items()
        for a, b in BETWEEN[attribute]
        for context in contexts
    ]
    return pairs + [_triple(*row) for row in _TRIPLES]


def _pair(attribute: str, a: str, b: str, context: Names) -> WorldMixture:
    parts = (replace(context, **{attribute: a}), replace(context, **{attribute: b}))
    others = [value for key, value in vars(parts[0]).items() if key != attribute]
    return WorldMixture("-".join([a, b, *others]), parts, (attribute,))


def _triple(first: Names, second: tuple[str, str], third: tuple[str, str]) -> WorldMixture:
    b = replace(first, **dict([second]))
    c = replace(b, **dict([third]))
    others = [value for key, value in vars(first).items() if key not in (second[0], third[0])]
    values = [getattr(first, second[0]), second[1], third[1]]
    return WorldMixture("-".join([*values, *others]), (first, b, c), (second[0], third[0]))


def slug(text: str) -> str:
    """A prompt id from a caption: its words, lower case, joined by hyphens."""
    return "-".join(re.findall(r"[a-z]+", text.lower()))


def part_prompt(names: Names) -> str:
    """The prompt of one part."""
    return canonical(names)
