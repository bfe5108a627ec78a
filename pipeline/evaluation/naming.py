"""What the world's prompt files say of a mixture: its parts by the names of their attributes."""

from collections.abc import Mapping

from pipeline.prompts.sets import Mixture, Prompt
from pipeline.world.mixtures import WorldMixture
from pipeline.world.scene import ATTRIBUTES, Names


def world_mixture(mixture: Mixture, prompts: Mapping[str, Prompt]) -> WorldMixture:
    """The mixture with its parts' names, from the columns of the world's prompt file.

    Raises:
        ValueError: if a part lacks a name, as prompts of other sets do.
    """
    parts = []
    for part in mixture.parts:
        extra = prompts[part].extra
        missing = [attribute for attribute in ATTRIBUTES if attribute not in extra]
        if missing:
            raise ValueError(f"prompt {part}: no column {', '.join(missing)}: the judge knows the world's prompts only")
        parts.append(Names(**{attribute: extra[attribute] for attribute in ATTRIBUTES}))
    return WorldMixture(mixture.name, tuple(parts), tuple(mixture.extra["attributes"].split()))
