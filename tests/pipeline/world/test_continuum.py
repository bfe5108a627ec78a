"""Scenes anywhere in the continuous space."""

import numpy as np

from pipeline.world.continuum import draw_any, draw_shadings
from pipeline.world.judge import hue_difference, hue_of, judge
from pipeline.world.render import render
from pipeline.world.scene import COLOURS, SHAPES


def test_it_holds_what_lies_between_the_names() -> None:
    """Every tenth of the hues, of 1/p, of the contrasts and of the radii occurs."""
    scenes = draw_any(2000, 0)
    for values, low, high in (
        (hue_of(scenes.rgb), 0, 360),
        (1 / scenes.exponent, 0.1, 1),
        (scenes.contrast, 0, 0.95),
        (scenes.radius, 4.1, 7.9),
    ):
        assert np.histogram(values, bins=10, range=(low, high))[0].min() > 20
    nearest = np.abs(hue_difference(hue_of(scenes.rgb)[:, None], hue_of(np.array(list(COLOURS.values()))))).min(axis=1)
    assert (nearest > 20).mean() > 0.3
    assert np.isin(scenes.exponent, list(SHAPES.values())).mean() > 0.4


def test_every_scene_shows_one_object_within_the_frame() -> None:
    readings = judge(render(draw_any(200, 1)))
    assert (readings.objects == 1).all()
    assert (readings.presence == 1).all()


def test_the_seed_decides() -> None:
    a, again, other = draw_any(5, 0), draw_any(5, 0), draw_any(5, 1)
    assert np.array_equal(a.rgb, again.rgb)
    assert not np.array_equal(a.rgb, other.rgb)
    assert np.array_equal(draw_shadings(5, 0), draw_shadings(5, 0))


def test_half_the_objects_are_shaded_as_in_the_toy_world() -> None:
    depths = draw_shadings(2000, 0)
    assert 0.45 < (depths == 0.35).mean() < 0.55
    assert depths.min() < 0.01
    assert depths.max() > 0.44
