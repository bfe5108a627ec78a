import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.world.render import render
from pipeline.world.scene import (
    ATTRIBUTES,
    COLOURS,
    DIRECTIONS,
    FRAMES,
    HEIGHT,
    SHAPES,
    SIZES,
    TEXTURES,
    WIDTH,
    Names,
    Scenes,
    draw,
    half_extent,
    realise,
)


def scene(exponent: float = 2.0, radius: float = 6.0, contrast: float = 0.0, velocity: tuple = (0.0, 0.0)) -> Scenes:
    """One red object in the middle."""
    return Scenes(
        rgb=np.array([COLOURS["red"]]),
        exponent=np.array([exponent]),
        contrast=np.array([contrast]),
        radius=np.array([radius]),
        velocity=np.array([velocity]),
        centre=np.array([[WIDTH / 2, HEIGHT / 2]]),
        background=np.array([0.1]),
    )


def test_same_seed_same_clips() -> None:
    assert np.array_equal(render(draw(5, 3)[1]), render(draw(5, 3)[1]))
    assert not np.array_equal(render(draw(5, 3)[1]), render(draw(5, 4)[1]))


def test_clips_do_not_depend_on_the_batch() -> None:
    _, scenes = draw(150, 0)
    assert np.array_equal(render(scenes)[140:], render(scenes[140:]))


@given(exponent=st.floats(1.0, 10.0), radius=st.floats(4.0, 8.0))
@settings(max_examples=30)
def test_rendered_area_is_that_of_the_disc(exponent: float, radius: float) -> None:
    """The radius is defined by area, whatever the shape: counted here on a 40 times finer grid."""
    extent = float(half_extent(radius, exponent))
    fine = (np.arange(-16 * 40, 16 * 40) + 0.5) / 40
    inside = (np.abs(fine)[:, None] ** exponent + np.abs(fine)[None] ** exponent) <= extent**exponent
    assert inside.sum() / 1600 == pytest.approx(np.pi * radius**2, rel=0.01)
    red = render(scene(exponent, radius))[0, 0, :, :, 0].astype(float)
    ground = red[0, 0]  # as rendered: its rounding, summed over a thousand pixels, is worth three of them
    covered = ((red - ground) / (red.max() - ground)).sum()
    assert covered == pytest.approx(np.pi * radius**2, rel=0.04)


def test_objects_stay_inside_the_frame() -> None:
    """Neither border row nor column is ever touched by more than an anti-aliased rim."""
    clips = render(draw(300, 1)[1]).astype(int)
    background = np.median(clips, axis=(2, 3), keepdims=True)
    border = np.abs(clips - background).max(-1)
    edge = np.concatenate([border[:, :, 0], border[:, :, -1], border[..., 0], border[..., -1]], axis=-1)
    assert (edge > 128).mean() < 0.01


def test_motion_is_even_and_in_pixels_per_frame() -> None:
    clip = render(scene(velocity=(0.5, -0.25)))[0].astype(float)
    weight = clip[..., 0] - clip[0, 0, 0, 0]
    total = weight.sum((1, 2))
    x = (weight * np.arange(WIDTH)).sum((1, 2)) / total
    y = (weight * np.arange(HEIGHT)[:, None]).sum((1, 2)) / total
    assert np.diff(x) == pytest.approx(np.full(FRAMES - 1, 0.5), abs=0.06)
    assert np.diff(y) == pytest.approx(np.full(FRAMES - 1, -0.25), abs=0.06)


def test_training_never_shows_a_mixture_value() -> None:
    """Every continuous value stays nearer to its own name than to the middle between two names."""
    names, scenes = draw(2000, 5)
    for i, name in enumerate(names):
        assert scenes.exponent[i] == SHAPES[name.shape]
        assert abs(scenes.radius[i] - SIZES[name.size]) < (SIZES["large"] - SIZES["small"]) / 4
        assert scenes.contrast[i] == 0 if name.texture == "plain" else scenes.contrast[i] > 0.8
        assert np.abs(scenes.rgb[i] - COLOURS[name.colour]).max() <= 0.05 + 1e-9
        along = np.abs(scenes.velocity[i]) / np.hypot(*scenes.velocity[i])
        assert along.max() > np.cos(np.pi / 16)


def test_names_are_uniform() -> None:
    names, _ = draw(6000, 9)
    named = {"colour": COLOURS, "shape": SHAPES, "texture": TEXTURES, "size": SIZES, "motion": DIRECTIONS}
    assert tuple(named) == ATTRIBUTES
    for attribute, values in named.items():
        drawn = [getattr(name, attribute) for name in names]
        for value in values:
            assert drawn.count(value) / len(drawn) == pytest.approx(1 / len(values), abs=0.03), value


def test_realise_follows_the_names() -> None:
    names = [Names("blue", "diamond", "striped", "small", "up")] * 20
    scenes = realise(names, np.random.default_rng(0))
    assert (scenes.velocity[:, 1] < -0.5).all()
    assert (scenes.rgb.argmax(1) == 2).all()


def test_more_frames_go_on_in_both_directions() -> None:
    """The middle of a longer clip is the clip, where both numbers of frames are even."""
    _, scenes = draw(6, 3)
    assert np.array_equal(render(scenes, frames=24)[:, 4:20], render(scenes))
    odd = render(scenes, frames=1)[:, 0]
    assert np.abs(odd.astype(int) - render(scenes)[:, 7:9].mean(axis=1)).mean() < 2


@pytest.mark.parametrize("scale", [2, 3])
def test_more_pixels_show_the_same_scene(scale: int) -> None:
    """Means of its pixels are those of the smaller picture, up to what anti-aliasing leaves at edges."""
    _, scenes = draw(6, 3)
    small, large = render(scenes).astype(float), render(scenes, height=scale * HEIGHT).astype(float)
    assert large.shape[2:4] == (scale * HEIGHT, scale * WIDTH)
    reduced = large.reshape(*small.shape[:2], HEIGHT, scale, WIDTH, scale, 3).mean(axis=(3, 5))
    difference = np.abs(reduced - small)
    assert difference.mean() < 1
    assert np.quantile(difference, 0.999) < 40
