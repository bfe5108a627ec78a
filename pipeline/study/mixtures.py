"""Mixtures as raters are asked about them: two parts, which questions name as a and b."""

from collections.abc import Mapping, Sequence

from pipeline.prompts.sets import Mixture, Prompt


def two_parts(prompts: Mapping[str, Prompt], mixtures: Sequence[Mixture]) -> dict[str, tuple[str, str]]:
    """The texts of both parts of every mixture that has two, by its id."""
    return {m.id: (prompts[m.parts[0]].text, prompts[m.parts[1]].text) for m in mixtures if len(m.parts) == 2}


def caption(parts: tuple[str, str]) -> str:
    """What stands for a mixture's text: its guide prompt would name what is to be seen."""
    return " + ".join(parts)
