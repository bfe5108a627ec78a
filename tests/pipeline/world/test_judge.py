"""The judge on scenes with known parameters, and on what generators get wrong."""

from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.world.judge import Readings, hue_difference, hue_of, judge
from pipeline.world.render import render
from pipeline.world.scene import ATTRIBUTES, COLOURS, Names, Scenes, draw

N = 1000


@pytest.fixture(scope="module")
def known() -> tuple[list[Names], Scenes, np.ndarray, Readings]:
    names, scenes = draw(N, 77)
    clips = render(scenes)
    return names, scenes, clips, judge(clips)


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_names_are_recovered(known: tuple, attribute: str) -> None:
    names, _, _, readings = known
    right = [getattr(a, attribute) == getattr(b, attribute) for a, b in zip(names, readings.names(), strict=True)]
    assert np.mean(right) >= 0.98


def test_the_number_of_objects_is_always_right(known: tuple) -> None:
    readings = known[-1]
    assert (readings.objects == 1).all()
    assert readings.one_object.all()


def test_measurements_are_close(known: tuple) -> None:
    _, scenes, _, readings = known
    assert np.abs(readings.radius - scenes.radius).max() < 0.4
    assert np.abs(readings.velocity - scenes.velocity).max() < 0.03
    assert readings.roughness.max() < 0.1
    assert np.percentile(np.abs(readings.contrast - scenes.contrast), 95) < 0.1


def test_values_between_the_names_are_measured() -> None:
    rng = np.random.default_rng(5)
    _, scenes = draw(300, 6)
    between = replace(scenes, exponent=1 / rng.uniform(0.1, 1, 300), contrast=rng.uniform(0, 0.9, 300))
    readings = judge(render(between))
    assert np.percentile(np.abs(1 / readings.exponent - 1 / between.exponent), 95) < 0.05
    assert np.percentile(np.abs(readings.contrast - between.contrast), 95) < 0.1


def test_a_clip_does_not_depend_on_its_neighbours(known: tuple) -> None:
    clips, readings = known[2], known[3]
    alone = judge(clips[500:501])
    for field in fields(Readings):
        assert np.allclose(getattr(alone, field.name), getattr(readings, field.name)[500:501], equal_nan=True)


def test_empty_clips_show_nothing() -> None:
    readings = judge(np.full((3, 16, 32, 32, 3), 25, np.uint8))
    assert (readings.objects == 0).all()
    assert not readings.one_object.any()
    assert readings.names()[0] == Names("none", "none", "none", "none", "still")


@pytest.mark.parametrize("spread", [8, 64, 256])
def test_noise_is_not_one_object(spread: int) -> None:
    noise = np.random.default_rng(0).integers(0, spread, (40, 16, 32, 32, 3)).astype(np.uint8)
    assert not judge(noise).one_object.any()


def test_two_objects_are_two() -> None:
    _, scenes = draw(60, 3)
    small = replace(scenes, radius=np.full(60, 4.0), velocity=np.zeros((60, 2)))
    left = render(replace(small, centre=np.tile([8.0, 16.0], (60, 1))))
    right = render(replace(small, centre=np.tile([24.0, 16.0], (60, 1)), rgb=np.tile(COLOURS["blue"], (60, 1))))
    both = np.concatenate([left[:, :, :, :16], right[:, :, :, 16:]], axis=3)
    readings = judge(both)
    assert (readings.objects == 2).all()
    assert not readings.one_object.any()


def test_an_object_that_changes_midway_is_not_one(known: tuple) -> None:
    names, scenes, clips, _ = known
    order = np.random.default_rng(1).permutation(N)[:300]
    other = render(replace(scenes[order], centre=scenes.centre[:300], velocity=scenes.velocity[:300]))
    changed = np.concatenate([clips[:300, :8], other[:, 8:]], axis=1)
    visible = [
        any(getattr(names[i], key) != getattr(names[j], key) for key in ("colour", "shape", "texture"))
        for i, j in enumerate(order)
    ]
    assert judge(changed).one_object[visible].mean() < 0.02


def test_an_object_that_vanishes_is_not_there_throughout(known: tuple) -> None:
    clips = known[2][:100].copy()
    clips[:, 6:] = 20
    assert not judge(clips).one_object.any()


def test_jerky_motion_is_rough(known: tuple) -> None:
    clips, readings = known[2], known[3]
    shuffled = clips[:100, np.random.default_rng(0).permutation(16)]
    assert (judge(shuffled).roughness > 5 * readings.roughness[:100] + 1).all()


def test_a_little_noise_does_no_harm(known: tuple) -> None:
    names, _, clips, _ = known
    noisy = np.clip(clips[:200] + np.random.default_rng(0).normal(0, 6, clips[:200].shape), 0, 255).astype(np.uint8)
    found = judge(noisy)
    right = [
        all(getattr(a, k) == getattr(b, k) for k in ATTRIBUTES) for a, b in zip(names, found.names(), strict=False)
    ]
    assert np.mean(right) > 0.95


def test_hues() -> None:
    assert hue_of(np.eye(3)) == pytest.approx([0, 120, 240])
    assert hue_difference(350, 10) == pytest.approx(20)
    assert hue_difference(10, 350) == pytest.approx(-20)
    assert hue_difference(0, 180) == pytest.approx(180)


def test_other_arrays_are_refused() -> None:
    with pytest.raises(ValueError, match=r"uint8 \(N, T, H, W, 3\), found float64"):
        judge(np.zeros((1, 16, 32, 32, 3)))
