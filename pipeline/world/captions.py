"""The grammar of captions: names -> plain English, in several phrasings.

The words for mixtures (pipeline/world/mixtures.py) are in no rule here, so no training caption contains one.
"""

import re

import numpy as np

from pipeline.world.scene import Names

SYNONYMS: dict[str, tuple[str, ...]] = {
    "circle": ("circle", "circle", "disc"),
    "diamond": ("diamond", "diamond", "rhombus"),
    "square": ("square",),
    "small": ("small", "small", "little"),
    "large": ("large", "large", "big"),
    "plain": ("plain",),
    "striped": ("striped",),
}
MOTIONS: dict[str, tuple[str, ...]] = {
    "right": ("right", "to the right", "from left to right"),
    "left": ("left", "to the left", "from right to left"),
    "up": ("up", "to the top", "from bottom to top"),
    "down": ("down", "to the bottom", "from top to bottom"),
}
TEMPLATES = (
    "A {size} {texture} {colour} {shape} moves {motion}.",
    "A {size} {texture} {colour} {shape} moves {motion}.",
    "A {size} {colour} {texture} {shape} is moving {motion}.",
    "The {texture} {colour} {shape}, {size}, drifts {motion}.",
    "There is a {size} {texture} {colour} {shape} going {motion}.",
    "Moving {motion}, a {size} {texture} {colour} {shape}.",
)
CANONICAL = TEMPLATES[0]
OMIT_SIZE, OMIT_PLAIN = 0.1, 0.4  # share of captions that leave the size, or the word "plain", out


def canonical(names: Names) -> str:
    """The plainest caption, every attribute named once: the phrasing of the mixtures."""
    return CANONICAL.format(**vars(names))


def caption(names: Names, rng: np.random.Generator) -> str:
    """One caption in a random phrasing; size and "plain" are sometimes left unsaid, as people do."""
    words = {key: str(rng.choice(SYNONYMS.get(value, (value,)))) for key, value in vars(names).items()}
    words["motion"] = str(rng.choice(MOTIONS[names.motion]))
    if rng.random() < OMIT_SIZE:
        words["size"] = ""
    if names.texture == "plain" and rng.random() < OMIT_PLAIN:
        words["texture"] = ""
    return _tidy(str(rng.choice(TEMPLATES)).format(**words))


def captions(names: list[Names], seed: int) -> list[str]:
    """One caption per scene; the same seed gives the same captions."""
    rng = np.random.default_rng(seed)
    return [caption(name, rng) for name in names]


def _tidy(text: str) -> str:
    """Close the gaps that omitted words leave."""
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"(\s*,)+", ",", text)
