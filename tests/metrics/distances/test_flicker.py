"""Temporal flickering of constructed clips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from metrics.distances.flicker import temporal_flickering
from tests.metrics.distances.moving import flickering


def test_a_known_flicker() -> None:
    assert temporal_flickering(flickering(32, 0)) == 1
    assert temporal_flickering(flickering(32, 51)) == pytest.approx(0.8)
    black_and_white = np.stack([np.full((4, 4, 3), 255 * (t % 2), np.uint8) for t in range(3)])
    assert temporal_flickering(black_and_white) == 0


@given(arrays(np.uint8, st.tuples(*[st.integers(2, 5)] * 3, st.just(3))))
def test_it_is_the_mean_over_pairs(clip: np.ndarray) -> None:
    """As VBench writes it: the mean of each pair's mean, from 255 down."""
    pairs = [float(np.mean(np.abs(clip[t].astype(float) - clip[t + 1]))) for t in range(len(clip) - 1)]
    assert temporal_flickering(clip) == pytest.approx((255 - sum(pairs) / len(pairs)) / 255, abs=1e-12)


def test_one_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 frames, found 1"):
        temporal_flickering(np.zeros((1, 4, 4, 3), np.uint8))
