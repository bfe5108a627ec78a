from pathlib import Path

import pytest

from pipeline.evaluation.naming import world_mixture
from pipeline.prompts.sets import Mixture, Prompt, read_sets
from pipeline.world.mixtures import world_mixtures

RED = {"colour": "red", "shape": "circle", "texture": "plain", "size": "large", "motion": "right"}


def mixture(attributes: str, *parts: dict[str, str]) -> tuple[Mixture, dict[str, Prompt]]:
    """A mixture of prompts with these columns."""
    prompts = {f"s/{i}": Prompt(f"s/{i}", "s", "", "text", part) for i, part in enumerate(parts)}
    return Mixture("s/m", "s", tuple(prompts), "s/0", {"attributes": attributes}), prompts


def test_the_frozen_mixtures_are_those_of_the_grammar(root: Path) -> None:
    prompts, mixtures = read_sets(root / "prompts", ["world"])
    by_id = {prompt.id: prompt for prompt in prompts}
    assert [world_mixture(own, by_id) for own in mixtures] == world_mixtures()


def test_three_parts_differ_step_by_step() -> None:
    blue = RED | {"colour": "blue"}
    found = world_mixture(*mixture("colour size", RED, blue, blue | {"size": "small"}))
    assert found.pairs == (("red", "blue"), ("large", "small"))


def test_an_attribute_is_mixed_once() -> None:
    with pytest.raises(ValueError, match="found 'colour colour', expected each but once"):
        world_mixture(*mixture("colour colour", RED, RED | {"colour": "blue"}, RED))


@pytest.mark.parametrize(
    ("attributes", "changes", "message"),
    [
        ("colour", {"colour": "brown"}, "prompt s/1, column colour: found 'brown', expected one of red, yellow"),
        ("color", {"colour": "blue"}, "mixture s/m, column attributes: found 'color', but its parts differ in colour"),
        ("shape", {"colour": "blue"}, "found 'shape', but its parts differ in colour"),
        ("colour", {}, "found 'colour', but its parts differ in nothing"),
        ("colour", {"colour": "blue", "size": "small"}, "but its parts differ in colour and size"),
        ("colour size", {"colour": "blue"}, "found 'colour size', but its parts differ in colour: expected one"),
        ("motion", {"motion": "left"}, "opposite directions have nothing between them"),
        ("", {"colour": "blue"}, "found '', but its parts differ in colour"),
    ],
)
def test_what_the_judge_cannot_name_is_refused(attributes: str, changes: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        world_mixture(*mixture(attributes, RED, RED | changes))
