"""Mixtures of the world: what lies between two names, and how a guide prompt calls it.

A mixture has two parts that differ in one attribute (a red and a blue circle; guide: "a purple circle"), or three:
the first two differ in one attribute, the third in another one from both (and shares the second's value in the
first).
"""

import re
from dataclasses import dataclass, replace

from pipeline.world.captions import CANONICAL, canonical
from pipeline.world.scene import Names

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
_PHRASES = [phrase for pairs in BETWEEN.values() for phrase in pairs.values()]
MIXTURE_WORDS = frozenset(word for phrase in _PHRASES for word in phrase.split()) - _NEUTRAL


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
