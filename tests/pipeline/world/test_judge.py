"""The judge on scenes with known parameters, and on what generators get wrong."""

from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.world.judge import Readings, hue_difference, hue_of, judge
from pipeline.world.render import render
from pipeline.world.scene import ATTRIBUTES, COLOURS, SHADING, Names, Scenes, draw

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
    assert np.mean(right) >= 0.99


def test_the_number_of_objects_is_always_right(known: tuple) -> None:
    readings = known[-1]
    assert (readings.objects == 1).all()
    assert readings.one_object.all()


BOUNDS = {"1/p": 0.06, "radius": 0.06, "contrast": 0.04, "hue": 0.8, "velocity": 0.03}


def worse_than_bounds(scenes: Scenes, readings: Readings) -> dict[str, float]:
    """The largest errors against what the scenes say, those that BOUNDS, about twice what is measured, do not allow."""
    differences = {
        "1/p": 1 / readings.exponent - 1 / scenes.exponent,
        "radius": readings.radius - scenes.radius,
        "contrast": readings.contrast - scenes.contrast,
        "hue": hue_difference(hue_of(scenes.rgb), readings.hue),
        "velocity": readings.velocity - scenes.velocity,
    }
    largest = {name: float(np.abs(difference).max()) for name, difference in differences.items()}
    return {name: error for name, error in largest.items() if not error < BOUNDS[name]}


@pytest.mark.parametrize("shading", [SHADING, 0.0])
def test_measurements_are_close(known: tuple, shading: float) -> None:
    _, scenes, _, readings = known
    if not shading:
        scenes = scenes[:300]
        readings = judge(render(scenes, shading))
    assert worse_than_bounds(scenes, readings) == {}
    assert readings.roughness.max() < 0.1


def between_names(n: int, seed: int) -> Scenes:
    """Scenes with any value of every attribute, also those that no word names: orange, rounded, faint, diagonal …"""
    rng = np.random.default_rng(seed)
    _, scenes = draw(n, seed)
    share, angle = rng.uniform(0, 1, (n, 1)), rng.uniform(-np.pi, np.pi, n)
    ring, colour = np.array(list(COLOURS.values())), rng.integers(0, len(COLOURS), n)
    mixed = replace(
        scenes,
        rgb=share * ring[colour] + (1 - share) * ring[colour - 1],
        exponent=1 / rng.uniform(0.1, 1, n),
        contrast=rng.uniform(0, 0.95, n),
        radius=rng.uniform(4.15, 7.85, n),
        velocity=rng.uniform(0.6, 0.9, (n, 1)) * np.stack([np.cos(angle), np.sin(angle)], axis=1),
    )
    return replace(mixed, centre=np.full((n, 2), 16.0))  # a large diamond's tips are inside in frames 4 to 11


@pytest.mark.parametrize("shading", [SHADING, 0.0])
def test_values_between_the_names_are_measured(shading: float) -> None:
    scenes = between_names(300, 6)
    readings = judge(render(scenes, shading)[:, 4:12])
    assert readings.one_object.all()
    assert worse_than_bounds(scenes, readings) == {}


def angle_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Degrees (N,) between vectors (N, 2)."""
    return np.degrees(np.abs(np.angle((a[:, 0] + 1j * a[:, 1]) / (b[:, 0] + 1j * b[:, 1]))))


def test_heading_is_read_of_every_clip(known: tuple) -> None:
    names, scenes, _, readings = known
    assert readings.headings() == [name.motion for name in names]
    assert angle_between(readings.heading, scenes.velocity).max() < 3
    strength = np.hypot(*readings.heading.T)
    assert np.abs(strength - SHADING).max() < 0.04


def test_one_frame_shows_the_heading(known: tuple) -> None:
    """A still clip of any frame, as images of a text-to-image model are judged."""
    names, _, clips, _ = known
    frame = np.random.default_rng(3).integers(0, clips.shape[1], N)
    readings = judge(np.repeat(clips[np.arange(N), frame][:, None], clips.shape[1], axis=1))
    right = [seen == name.motion for seen, name in zip(readings.headings(), names, strict=True)]
    assert np.mean(right) >= 0.98
    assert {found.motion for found in readings.names()} == {"still"}
    assert readings.one_object.all()


def test_without_shading_there_is_no_heading() -> None:
    """Neither stripes nor anti-aliased rims look like one."""
    names, scenes = draw(N, 78)
    readings = judge(render(scenes, shading=0))
    assert np.mean([word == "none" for word in readings.headings()]) >= 0.99
    assert [found.motion for found in readings.names()] == [name.motion for name in names]
    assert readings.one_object.all()


@pytest.mark.parametrize("phase", range(1, 5))
def test_stripes_of_any_phase_are_no_heading(phase: int) -> None:
    """A generator may put them off the centre: one that is brighter above it does not move up."""
    _, scenes = draw(100, 79)
    striped = replace(scenes, contrast=np.full(100, 0.9), velocity=np.zeros((100, 2)), centre=np.full((100, 2), 16.0))
    plain = render(replace(striped, contrast=np.zeros(100)), 0).astype(float)
    rows = np.clip(0.5 + 1.5 * np.cos((np.arange(32) - 15.5 - phase) * 2 * np.pi / 5), 0, 1)[:, None, None]
    ground = plain[:, :, :1, :1]
    covered = np.abs(plain - ground).max(-1, keepdims=True)
    covered /= covered.max(axis=(2, 3), keepdims=True)
    clips = np.round(plain + 0.9 * rows * covered * (255 - plain.max(axis=(2, 3), keepdims=True))).astype(np.uint8)
    readings = judge(clips)
    assert readings.contrast.min() > 0.6
    assert set(readings.headings()) == {"none"}


def test_heading_of_a_mixture_of_directions_lies_between_them() -> None:
    scenes = between_names(300, 8)
    readings = judge(render(scenes)[:, 4:12])
    assert angle_between(readings.heading, scenes.velocity).max() < 10
    right_down = replace(scenes, velocity=np.tile([0.5, 0.5], (300, 1)))
    heading = judge(render(right_down)[:, 4:12]).heading
    assert (np.abs(np.degrees(np.arctan2(heading[:, 1], heading[:, 0])) - 45) < 10).all()


def test_what_moves_backwards_is_not_one_object(known: tuple) -> None:
    """Scenes played backwards: they move against their heading; without shading nobody can tell."""
    names, scenes, clips, readings = known
    found = judge(clips[:200, ::-1])
    opposite = {"right": "left", "left": "right", "up": "down", "down": "up"}
    assert [seen.motion for seen in found.names()] == [opposite[name.motion] for name in names[:200]]
    assert found.headings() == [name.motion for name in names[:200]]
    assert found.backwards.all()
    assert not found.one_object.any()
    assert not readings.backwards.any()
    assert judge(render(scenes[:200], 0)[:, ::-1]).one_object.all()


def test_what_slides_sideways_is_one_object(known: tuple) -> None:
    """60 degrees off the heading: each frame of a scene, moved there as a whole."""
    scenes = known[1][:40]
    turn = np.exp(1j * np.pi / 3)
    away = (scenes.velocity[:, 0] + 1j * scenes.velocity[:, 1]) * turn
    clips = render(replace(scenes, centre=np.full((40, 2), 16.0)))[:, 7:8].repeat(16, axis=1)
    for clip, way in zip(clips, away, strict=True):
        for t in range(16):
            shift = np.round(np.array([way.imag, way.real]) * (t - 7.5) * 0.6).astype(int)
            clip[t] = np.roll(clip[t], shift, axis=(0, 1))
    readings = judge(clips)
    assert not readings.backwards.any()
    assert readings.one_object.all()


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
    assert np.isnan(readings.heading).all()
    assert readings.headings() == ["none"] * 3


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


@pytest.mark.parametrize("attribute", ["rgb", "exponent", "contrast", "radius"])
def test_frames_that_take_turns_are_not_one_object(known: tuple, attribute: str) -> None:
    """Alternately of two scenes that differ in one attribute by as much as two names do: no frame is between them,
    the halves of the clip are alike, and its medians lie anywhere."""
    scenes = known[1][:120]
    ends = {
        "rgb": [np.tile(COLOURS[name], (120, 1)) for name in ("green", "blue")],
        "exponent": [np.full(120, p) for p in (2.0, 10.0)],
        "contrast": [np.zeros(120), np.full(120, 0.9)],
        "radius": [np.full(120, r) for r in (4.5, 7.5)],
    }
    one, other = (render(replace(scenes, **{attribute: values})) for values in ends[attribute])
    turns = np.where(np.arange(16).reshape(1, 16, 1, 1, 1) % 2, one, other)
    assert judge(one).one_object.all()
    assert judge(other).one_object.all()
    assert judge(turns).one_object.mean() < 0.02


@pytest.mark.parametrize(("others", "steady"), [(4, True), (5, False)])
def test_up_to_a_quarter_of_the_frames_may_be_unlike_the_others(known: tuple, others: int, steady: bool) -> None:
    scenes = known[1][:40]
    one, other = (render(replace(scenes, rgb=np.tile(COLOURS[name], (40, 1)))) for name in ("red", "blue"))
    frames = np.linspace(0, 15, others).round().astype(int)
    one[:, frames] = other[:, frames]
    assert (judge(one).steady == steady).all()


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
    for clips in (np.zeros((1, 16, 32, 32, 3)), np.zeros((0, 16, 32, 32, 3), np.uint8)):
        with pytest.raises(ValueError, match=rf"uint8 \(N >= 1, T, H, W, 3\), found {clips.dtype} \({len(clips)},"):
            judge(clips)
