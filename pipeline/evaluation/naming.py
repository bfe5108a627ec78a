"""What the world's prompt files say of a mixture: its parts by the names of their attributes."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from pipeline.prompts.sets import Mixture, Prompt
from pipeline.world.mixtures import WorldMixture
from pipeline.world.scene import ATTRIBUTES, COLOURS, DIRECTIONS, SHAPES, SIZES, TEXTURES, Names

_WORDS = dict(zip(ATTRIBUTES, (COLOURS, SHAPES, TEXTURES, SIZES, DIRECTIONS), strict=True))


def world_mixture(mixture: Mixture, prompts: Mapping[str, Prompt]) -> WorldMixture:
    """The mixture with its parts' names, from the columns of the world's prompt file.

    Raises:
        ValueError: if a part lacks a name, as prompts of other sets do, or has one that the judge does not know; or if
            the column attributes does not say in what each part differs from the one before it.
    """
    parts = tuple(names_of(prompts[part]) for part in mixture.parts)
    attributes = tuple(mixture.extra["attributes"].split())
    _check(mixture.id, attributes, parts)
    return WorldMixture(mixture.name, parts, attributes)


def names_of(prompt: Prompt) -> Names:
    """A prompt's attributes, from the columns of the world's prompt file.

    Raises:
        ValueError: if one is missing, or the judge does not know its name.
    """
    missing = [attribute for attribute in ATTRIBUTES if attribute not in prompt.extra]
    if missing:
        raise ValueError(
            f"prompt {prompt.id}: no column {', '.join(missing)}: the judge knows the world's prompts only"
        )
    for attribute, words in _WORDS.items():
        if prompt.extra[attribute] not in words:
            said = f"found {prompt.extra[attribute]!r}, expected one of {', '.join(words)}"
            raise ValueError(f"prompt {prompt.id}, column {attribute}: {said}")
    return Names(**{attribute: prompt.extra[attribute] for attribute in ATTRIBUTES})


def _check(name: str, attributes: Sequence[str], parts: Sequence[Names]) -> None:
    """Each part differs from the one before it in one attribute, the one that is named."""
    differing = [
        " and ".join(key for key in ATTRIBUTES if getattr(a, key) != getattr(b, key)) or "nothing"
        for a, b in pairwise(parts)
    ]
    if len(set(attributes)) < len(attributes):
        raise ValueError(f"mixture {name}, column attributes: found {' '.join(attributes)!r}, expected each but once")
    if list(attributes) != differing:
        found = " ".join(attributes)
        raise ValueError(
            f"mixture {name}, column attributes: found {found!r}, but its parts differ in {', then '.join(differing)}: "
            "expected one attribute for each part but the first"
        )
    ways = [np.array(DIRECTIONS[part.motion]) for part in parts]
    if any((a == -b).all() for a, b in pairwise(ways)):
        raise ValueError(
            f"mixture {name}: opposite directions have nothing between them, expected neighbours as up, left"
        )
