import numpy as np
import pytest

from pipeline.world.judge import judge
from pipeline.world.rates import at_rates
from pipeline.world.render import render
from pipeline.world.scene import draw


def test_the_own_rate_changes_nothing() -> None:
    _, scenes = draw(5, 0)
    assert np.array_equal(at_rates(scenes, 8).velocity, scenes.velocity)


def test_at_twice_the_rate_an_object_moves_half_as_fast() -> None:
    _, scenes = draw(6, 1)
    clips = [render(at_rates(scenes, fps)) for fps in (8, 16)]
    own, twice = (judge(clip).velocity for clip in clips)
    assert np.abs(twice - own / 2).max() < 0.02


def test_every_third_frame_at_three_times_the_rate_is_a_frame() -> None:
    """Frames lie at -7.5, -6.5 ... 7.5 from the middle: those at 24 fps in -4.5, -1.5, 1.5, 4.5 are those at 8 fps in
    -1.5, -0.5, 0.5, 1.5."""
    _, scenes = draw(6, 1)
    assert np.array_equal(render(at_rates(scenes, 24))[:, 3:13:3], render(scenes)[:, 6:10])


def test_each_scene_has_its_own_rate() -> None:
    _, scenes = draw(3, 2)
    found = at_rates(scenes, np.array([1, 8, 60])).velocity
    assert found == pytest.approx(scenes.velocity * np.array([[8], [1], [8 / 60]]))


def test_at_a_low_rate_an_object_crosses_the_frame() -> None:
    _, scenes = draw(8, 3)
    clips = render(at_rates(scenes, 1)).astype(int)
    bright = (clips - clips.min(axis=(1, 2, 3), keepdims=True)).max(axis=(2, 3, 4)) > 60
    assert bright[:, 7:9].all()
    assert not bright[:, [0, -1]].any()


@pytest.mark.parametrize("fps", [0, -1])
def test_no_rate_is_refused(fps: float) -> None:
    with pytest.raises(ValueError, match="expected more than 0"):
        at_rates(draw(2, 0)[1], fps)
