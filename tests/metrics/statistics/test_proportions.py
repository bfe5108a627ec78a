"""Wilson's interval against its formula."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from metrics.statistics.proportions import wilson


@given(n=st.integers(1, 500), data=st.data(), confidence=st.sampled_from([0.9, 0.95, 0.99]))
def test_wilson_equals_its_formula(n: int, data: st.DataObject, confidence: float) -> None:
    k = data.draw(st.integers(0, n))
    z, p = norm.ppf((1 + confidence) / 2), k / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    rate = wilson(k, n, confidence)
    assert (rate.low, rate.high) == pytest.approx((centre - half, centre + half), abs=1e-9)
    assert 0 <= rate.low <= rate.value <= rate.high <= 1


def test_wilson_of_nothing_is_no_number() -> None:
    assert np.isnan(wilson(0, 0).value)
    with pytest.raises(ValueError, match="found 3"):
        wilson(3, 2)
