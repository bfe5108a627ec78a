"""Precision, recall, density and coverage: a loop over balls, constructed sets, and the values that theory gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.distances import manifold
from metrics.distances.manifold import coverage, density, precision, squared_radii


def all_four(gen: np.ndarray, real: np.ndarray, k: int = 3) -> list[float]:
    own, theirs = squared_radii(gen, k), squared_radii(real, k)
    both = precision(gen, real, theirs), precision(real, gen, own)
    return [*both, density(gen, real, theirs, k), coverage(gen, real, theirs)]


def naive(gen: np.ndarray, real: np.ndarray, k: int) -> list[float]:
    """Ball by ball, by the papers' equations."""

    def radius(side: np.ndarray, i: int) -> float:
        return sorted(float(np.linalg.norm(side[i] - other)) for j, other in enumerate(side) if j != i)[k - 1]

    def balls(side: np.ndarray, points: np.ndarray) -> np.ndarray:
        return np.array([[np.linalg.norm(p - c) <= radius(side, i) + 1e-9 for i, c in enumerate(side)] for p in points])

    real_balls, gen_balls = balls(real, gen), balls(gen, real)
    density = real_balls.sum() / (k * len(gen))
    return [real_balls.any(axis=1).mean(), gen_balls.any(axis=1).mean(), density, real_balls.any(axis=0).mean()]


@given(st.integers(0, 2**32 - 1), st.integers(4, 9), st.integers(4, 9), st.integers(1, 3), st.booleans())
def test_it_is_the_loop_over_balls(seed: int, n: int, m: int, k: int, whole: bool) -> None:
    """Also of whole numbers, among which distances are equal, and vectors."""
    rng = np.random.default_rng(seed)
    gen, real = (rng.integers(0, 3, (size, 2)) if whole else rng.normal(size=(size, 3)) for size in (n, m))
    assert all_four(gen, real, k) == pytest.approx(naive(gen.astype(float), real.astype(float), k))


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    gen, real = rng.normal(size=(50, 4)), rng.normal(size=(70, 4))
    whole = all_four(gen, real)
    monkeypatch.setattr(manifold, "_BLOCK", 16)
    assert all_four(gen, real) == pytest.approx(whole)


def test_a_set_and_itself_and_one_far_away() -> None:
    """A set's own balls hold each vector and its k neighbours, so that its density is (k + 1) / k or more."""
    side = np.random.default_rng(0).normal(size=(60, 5)) * [1e3, 1, 1, 1, 1] + 1e4
    assert all_four(side, side)[:2] == [1, 1]
    assert all_four(side, side)[2:] == [pytest.approx(4 / 3), 1]
    assert all_four(side + 1e6, side) == [0, 0, 0, 0]


def test_copies_are_neighbours_at_no_distance() -> None:
    """A method that makes one picture only: in real balls or not, and it covers what it lies in."""
    real = np.random.default_rng(0).normal(size=(100, 6))
    gen = np.repeat(real[:1], 20, axis=0)
    found = all_four(gen, real)
    assert (found[0], found[1]) == (1, 0.01)  # its balls are points: they hold the one real vector
    assert found[3] < 0.1


@pytest.mark.parametrize("dropped", [0, 1])
def test_a_dropped_mode_halves_recall_and_coverage(dropped: int) -> None:
    rng = np.random.default_rng(dropped)
    centres = np.zeros((2, 3))
    centres[1] = 100
    real = np.concatenate([rng.normal(size=(200, 3)) + c for c in centres])
    gen = rng.normal(size=(400, 3)) + centres[1 - dropped]
    found = all_four(gen, real)
    assert found[0] > 0.9
    assert 0.4 < found[1] <= 0.5 and 0.4 < found[3] <= 0.5


def test_an_outlier_spoils_precision_and_not_density() -> None:
    """Naeem et al.'s figure 3: the ball of one real outlier takes in vectors that are nowhere near the others."""
    rng = np.random.default_rng(0)
    real, gen = rng.normal(size=(300, 4)), rng.normal(size=(300, 4)) + 12
    outlier = np.concatenate([real, np.full((1, 4), 30.0)])
    assert all_four(gen, real)[0] == 0
    spoilt = all_four(gen, outlier)
    assert spoilt[0] > 0.95
    assert spoilt[2] < 1 / 3 + 1e-9  # one ball of k = 3
    assert spoilt[3] < 0.01


def expected_coverage(n: int, m: int, k: int) -> float:
    """Naeem et al., lemma 2, for n real and m generated vectors of one distribution."""
    i = np.arange(1, k + 1)
    return float(1 - np.prod((n - i) / (m + n - i)))


@pytest.mark.parametrize(("n", "m", "k"), [(100, 100, 5), (60, 120, 3), (120, 30, 1)])
def test_one_distribution_has_the_density_and_coverage_of_theory(n: int, m: int, k: int) -> None:
    """Over draws, in a few and in many dimensions: they do not depend on the distribution."""
    rng = np.random.default_rng(0)
    for d in (2, 50):
        found = []
        for _ in range(60):
            real, gen = rng.normal(size=(n, d)), rng.normal(size=(m, d))
            found.append(all_four(gen, real, k)[2:])
        mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(60)
        assert abs(mean[0] - 1) < 4 * error[0]
        assert abs(mean[1] - expected_coverage(n, m, k)) < 4 * error[1]


def test_windows_of_one_clip_are_no_neighbours() -> None:
    """Each vector twice, as two windows: the radii are those of the clips."""
    side = np.random.default_rng(0).normal(size=(40, 3))
    alone, twice = squared_radii(side, 3), squared_radii(np.repeat(side, 2, axis=0), 5, np.arange(40).repeat(2))
    np.testing.assert_allclose(twice, alone.repeat(2))  # the fifth of pairs is of the third clip


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="k is 3, expected 1 to 2"):
        squared_radii(np.eye(3), 3)
    with pytest.raises(ValueError, match="k is 1, expected 1 to 0"):
        squared_radii(np.eye(3), 1, np.zeros(3))
    with pytest.raises(ValueError, match="NaN or infinity"):
        squared_radii(np.full((5, 2), np.nan), 1)
    with pytest.raises(ValueError, match="not of one width"):
        precision(np.eye(3), np.eye(4), np.ones(4))
