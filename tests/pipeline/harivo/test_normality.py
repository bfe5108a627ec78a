"""Table A1: the share of noises that the Jarque-Bera test takes for Gaussian."""

from math import exp

import numpy as np
import pytest
from scipy import integrate

from pipeline.harivo.normality import passes, table_a1


def expected_share(frames: int, weight: float) -> float:
    """The share in the limit of many pixels, from the test's own formula n/6 (S² + (K - 3)² / 4).

    Skewness averages Hermite's third polynomial, kurtosis the fourth; of unit normals with correlation r these have
    correlation r³ and r⁴. So the statistic is a χ²₁ + b χ²₁ with a = 1 + (F - 1) r³ and b = 1 + (F - 1) r⁴.
    """
    r = weight**2 / (1 + weight**2)
    a, b, limit = 1 + (frames - 1) * r**3, 1 + (frames - 1) * r**4, 5.991464547107979

    def density(angle: float) -> float:  # of two unit normals, in polar coordinates
        quadratic = a * np.cos(angle) ** 2 + b * np.sin(angle) ** 2
        return (1 - exp(-limit / (2 * quadratic))) / (2 * np.pi)

    return integrate.quad(density, 0, 2 * np.pi)[0]


@pytest.mark.parametrize(("frames", "weight"), [(8, 0.0), (24, 1.0), (8, 2.0)])
def test_the_share_is_what_theory_says(frames: int, weight: float) -> None:
    found = passes((4, frames, 16, 16), weight, 1500, seed=0) / 1500
    assert found == pytest.approx(expected_share(frames, weight), abs=0.045)


def test_at_24_frames_the_papers_shares_come_out() -> None:
    """63.01 and 94.42 % of 10,000; 2,000 of ours, at a quarter of its height and width, four standard errors."""
    table = table_a1([((4, 24, 8, 8), 0.0), ((4, 24, 8, 8), 1.0)], 2000).set_index("noise")
    assert table.share["iid"] == pytest.approx(0.9442, abs=0.025)
    assert table.share["mixed"] == pytest.approx(0.6301, abs=0.045)
    assert table.correlation["mixed"] == 0.5
    assert (table.low < table.share).all()
    assert (table.share < table.high).all()
