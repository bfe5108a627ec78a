"""Table A1: the share of noises that the Jarque-Bera test takes for Gaussian."""

from math import exp

import numpy as np
import pytest
from scipy import integrate

from pipeline.normality import passes


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


def test_theory_gives_the_papers_shares_at_its_24_frames() -> None:
    assert expected_share(24, 0.0) == pytest.approx(0.95, abs=1e-6)
    assert expected_share(24, 1.0) == pytest.approx(0.6301, abs=0.015)  # 0.618: 2.5 of the paper's standard errors
