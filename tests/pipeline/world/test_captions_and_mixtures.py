import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.world import prompts as world_prompts
from pipeline.world.captions import captions
from pipeline.world.judge import judge
from pipeline.world.mixtures import BETWEEN, MIXTURE_WORDS, world_mixtures
from pipeline.world.render import render
from pipeline.world.scene import COLOURS, DIRECTIONS, SHAPES, SIZES, SPEED, TEXTURES, Scenes, draw, realise
from pipeline.world.verdicts import position, verdict

MIXTURES = world_mixtures()


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))


def test_training_captions_contain_no_mixture_word() -> None:
    for seed in (0, 1, 2):
        names, _ = draw(8000, seed)
        spoken = set().union(*map(words, captions(names, seed)))
        assert not spoken & MIXTURE_WORDS


def test_every_guide_contains_a_mixture_word_and_no_part_does() -> None:
    texts = world_prompts.prompt_table().set_index("id").text
    assert len(MIXTURES) == len(world_prompts.mixture_table())
    for row in world_prompts.mixture_table().itertuples():
        assert words(texts[row.guide]) & MIXTURE_WORDS
        for part in row.parts.split():
            assert not words(texts[part]) & MIXTURE_WORDS, part


def test_there_are_enough_mixtures_of_every_kind() -> None:
    pairs = [m for m in MIXTURES if len(m.parts) == 2]
    assert len(pairs) >= 24
    assert {m.attributes[0] for m in pairs} == set(BETWEEN)
    assert sum(len(m.parts) == 3 for m in MIXTURES) == 5
    assert len({m.id for m in MIXTURES}) == len(MIXTURES)


def test_captions_name_the_scene() -> None:
    names, _ = draw(500, 3)
    for name, text in zip(names, captions(names, 3), strict=True):
        assert name.colour in text
        assert ("striped" in text) == (name.texture == "striped")
        assert "  " not in text
        assert " ," not in text


def between(mixture, weights: np.ndarray) -> Scenes:
    """Scenes that really are the mixture: every attribute at its weighted mean, in the space that it is measured in."""
    base = realise([mixture.parts[0]] * 8, np.random.default_rng(0))
    rgb = weights @ np.array([COLOURS[p.colour] for p in mixture.parts])
    inverse = weights @ np.array([1 / SHAPES[p.shape] for p in mixture.parts])
    contrast = weights @ np.array([TEXTURES[p.texture] for p in mixture.parts])
    radius = weights @ np.array([SIZES[p.size] for p in mixture.parts])
    velocity = SPEED * (weights @ np.array([DIRECTIONS[p.motion] for p in mixture.parts]))
    return replace(
        base,
        rgb=np.tile(rgb, (8, 1)),
        exponent=np.full(8, 1 / inverse),
        contrast=np.full(8, contrast),
        radius=np.full(8, radius),
        velocity=np.tile(velocity, (8, 1)),
        centre=np.tile([16.0, 16.0], (8, 1)),
    )


@pytest.mark.parametrize("mixture", MIXTURES, ids=lambda m: m.id)
def test_a_real_mixture_succeeds_and_its_parts_do_not(mixture) -> None:
    n = len(mixture.parts)
    equal = verdict(mixture, judge(render(between(mixture, np.full(n, 1 / n)))))
    assert equal.success.all(), equal.shares[0]
    for part in range(n):
        alone = verdict(mixture, judge(render(between(mixture, np.eye(n)[part]))))
        assert alone.present[:, part].all()
        assert not alone.success.any(), alone.shares[0]


def test_two_objects_are_no_mixture() -> None:
    mixture = next(m for m in MIXTURES if m.attributes == ("colour",) and m.parts[0].size == "small")
    scenes = between(mixture, np.array([0.5, 0.5]))
    still = replace(scenes, velocity=np.zeros((8, 2)))
    left = render(replace(still, centre=np.tile([8.0, 16.0], (8, 1))))
    right = render(replace(still, centre=np.tile([24.0, 16.0], (8, 1))))
    both = np.concatenate([left[:, :, :, :16], right[:, :, :, 16:]], axis=3)
    found = verdict(mixture, judge(both))
    assert found.present.all()
    assert not found.success.any()


def test_another_colour_is_no_mixture() -> None:
    """Green is neither red nor blue, though its hue lies somewhere too."""
    _, scenes = draw(8, 0)
    green = judge(render(replace(scenes, rgb=np.tile(COLOURS["green"], (8, 1)))))
    assert np.isnan(position("colour", "red", "blue", green)).all()


def test_moving_backwards_is_no_mixture() -> None:
    _, scenes = draw(8, 0)
    back = judge(render(replace(scenes, velocity=np.tile([-0.7, 0.0], (8, 1)), centre=np.full((8, 2), 16.0))))
    assert np.isnan(position("motion", "right", "up", back)).all()


def test_the_frozen_files_are_what_the_grammar_made(root) -> None:
    """Guards the freeze: a change of the grammar must come with a decision about these files."""
    for name, table in (("world", world_prompts.prompt_table()), ("world.mixtures", world_prompts.mixture_table())):
        frozen = pd.read_csv(root / f"prompts/{name}.csv", dtype=str, keep_default_na=False)
        assert frozen.equals(table.fillna("").astype(str).reset_index(drop=True))


def test_in_distribution_prompts_are_no_training_captions(root) -> None:
    import yaml

    scenes = yaml.safe_load((root / "params.yaml").read_text())["train"]["cogvideox"]["spec"]["scenes"]
    assert (scenes, 0) == world_prompts.TRAINING
    known = set(captions(draw(scenes, 0)[0], 0))
    table = world_prompts.prompt_table()
    own = table[table.category == "in-distribution"]
    assert len(own) == 200
    assert not set(own.text) & known


def test_what_the_parts_share_must_stay() -> None:
    """A purple square is no mixture of a red and a blue circle."""
    mixture = next(m for m in MIXTURES if m.id.startswith("red-blue-circle"))
    square = replace(between(mixture, np.array([0.5, 0.5])), exponent=np.full(8, SHAPES["square"]))
    found = verdict(mixture, judge(render(square)))
    assert found.present.all() and found.one_object.all()
    assert not found.shared.any() and not found.success.any()
