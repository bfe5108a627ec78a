"""Holm's correction against its definition, and p of an interval against its ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from metrics.statistics.bootstrap import Interval
from metrics.statistics.testing import holm, interval_p


@given(arrays(float, st.integers(0, 8), elements=st.floats(0, 1)))
def test_holm_is_the_step_down_definition(p: np.ndarray) -> None:
    """The adjusted p is the smallest level at which the steps, from the smallest p on, reject it."""
    adjusted = holm(p)
    order, n = np.argsort(p, kind="stable"), len(p)
    for rank, i in enumerate(order):
        steps = [min(1.0, (n - k) * p[order[k]]) for k in range(rank + 1)]
        assert adjusted[i] == pytest.approx(max(steps))


def test_holm_leaves_out_what_is_no_test() -> None:
    found = holm(np.array([0.01, np.nan, 0.03]))
    assert found[[0, 2]] == pytest.approx([0.02, 0.03])
    assert np.isnan(found[1])


@given(st.floats(0.1, 5), st.sampled_from([0.9, 0.95, 0.99]), st.sampled_from([-1, 1]))
def test_an_interval_that_ends_at_0_is_at_the_level(half: float, confidence: float, sign: int) -> None:
    p = interval_p(Interval(sign * half, sign * half - half, sign * half + half), confidence)
    assert p == pytest.approx(1 - confidence)
    assert interval_p(Interval(2 * half, half, 3 * half), confidence) < p


def test_what_has_no_interval_has_no_p() -> None:
    assert np.isnan(interval_p(Interval(1.0, np.nan, np.nan), 0.95))
    assert interval_p(Interval(0.0, 0.0, 0.0), 0.95) == 1
