"""JEDi against its double sum, and against the value in its authors' code."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.distances.jedi import jedi


def test_the_authors_example() -> None:
    """`videojedi/mmd_polynomial.py` prints 270.7 for degree 2 without a constant."""
    a, b = np.arange(1, 10).reshape(3, 3), np.array([[7, 6, 5], [4, 3, 2], [1, 1, 8], [0, 2, 5]])
    assert jedi(a, b) / 100 == pytest.approx(270.7, abs=0.05)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12), st.integers(1, 5))
def test_it_is_the_sum_over_pairs(seed: int, n: int, m: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(1, 2, (n, d)), rng.normal(0, 1, (m, d))

    def mean(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.mean([(u @ v / d) ** 2 for u in a for v in b]))

    assert jedi(x, y) == pytest.approx(100 * (mean(x, x) + mean(y, y) - 2 * mean(x, y)), rel=1e-9, abs=1e-9)
    assert jedi(x, x) == 0


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"found \(3, 2\) and \(3, 4\)"):
        jedi(np.ones((3, 2)), np.ones((3, 4)))
