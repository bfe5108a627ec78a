"""Fréchet distance against scipy's matrix square root."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from metrics.distances.fvd import Moments, distance, frechet_distance, fvd, influences, moments, root
from metrics.distances.stateful import FrechetVideoDistance


def literal_distance(a: Moments, b: Moments) -> float:
    """The definition, with scipy's matrix square root: tr (Σa Σb)^½ = tr (Σa^½ Σb Σa^½)^½."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # singular matrices
        root = sqrtm(a.covariance)
        cross = sqrtm(root @ b.covariance @ root)
    difference = a.mean - b.mean
    return float(difference @ difference + np.trace(a.covariance + b.covariance) - 2 * np.trace(cross).real)


@given(seed=st.integers(0, 10**6), d=st.integers(1, 12), n=st.integers(2, 60))
def test_distance_equals_scipys(seed: int, d: int, n: int) -> None:
    """Also for fewer vectors than dimensions, where both covariances are singular."""
    rng = np.random.default_rng(seed)
    a = moments(rng.normal(size=(n, d)) @ rng.normal(size=(d, d)))
    b = moments(rng.normal(1, 2, size=(n + 3, d)))
    assert distance(a, b) == pytest.approx(literal_distance(a, b), rel=1e-5, abs=1e-6)
    assert distance(a, b) == pytest.approx(distance(b, a), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("n", [60, 150, 600])
def test_distance_equals_scipys_at_the_networks_width(n: int) -> None:
    """400 features with a spectrum that falls as I3D's does; with 60 and 150 clips most directions are empty."""
    rng = np.random.default_rng(n)
    scale = np.geomspace(5, 0.05, 400)
    a, b = moments(rng.normal(size=(n, 400)) * scale), moments(rng.normal(0.1, 1.1, size=(n, 400)) * scale)
    assert distance(a, b) == pytest.approx(literal_distance(a, b), rel=1e-5)


@given(seed=st.integers(0, 10**6), d=st.integers(1, 12), n=st.integers(2, 30), rank=st.integers(0, 3))
def test_distance_is_a_number_and_never_negative(seed: int, d: int, n: int, rank: int) -> None:
    """Of a set to itself, of covariances of any rank down to zero."""
    rng = np.random.default_rng(seed)
    own = moments(rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d)))
    other = moments(rng.normal(size=(n, d)))
    found = distance(own, own)
    assert isinstance(found, float)
    assert 0 <= found < 1e-6 * max(1.0, np.trace(own.covariance))
    assert 0 <= distance(own, other) < np.inf


@given(
    seed=st.integers(0, 10**6),
    d=st.integers(1, 12),
    n=st.integers(2, 30),
    m=st.integers(2, 30),
    ddof=st.sampled_from([0, 1]),
)
def test_the_way_past_the_moments_gives_the_same(seed: int, d: int, n: int, m: int, ddof: int) -> None:
    rng = np.random.default_rng(seed)
    gen, real = rng.normal(size=(n, d)), rng.normal(1, 2, size=(m, d))
    assert fvd(gen, real, ddof) == pytest.approx(distance(moments(gen, ddof), moments(real, ddof)), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("ddof", [0, 1])
def test_influences_are_what_leaving_a_vector_out_takes_away(ddof: int) -> None:
    """Of many vectors, (n - 1) times the change; test_bootstrap has the derivative, of few."""
    rng = np.random.default_rng(0)
    gen, real = rng.normal(0.3, 1.2, size=(4000, 5)), rng.normal(size=(3000, 5))
    value = fvd(gen, real, ddof)
    own, other = influences(gen, real, root(gen, ddof), root(real, ddof))
    for i in range(5):
        assert 3999 * (value - fvd(np.delete(gen, i, 0), real, ddof)) == pytest.approx(own[i], rel=0.02, abs=0.02)
        assert 2999 * (value - fvd(gen, np.delete(real, i, 0), ddof)) == pytest.approx(other[i], rel=0.02, abs=0.02)


@given(shift=st.floats(-10, 10), scale=st.floats(0.1, 10))
def test_gaussians_of_one_dimension_have_a_closed_form(shift: float, scale: float) -> None:
    found = frechet_distance(np.zeros(1), np.ones((1, 1)), np.full(1, shift), np.full((1, 1), scale**2))
    assert found == pytest.approx(shift**2 + (1 - scale) ** 2, abs=1e-9)


def test_moments_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2,\), \(3,\) and covariances \(2, 2\), \(3, 3\) do not fit"):
        frechet_distance(np.zeros(2), np.eye(2), np.zeros(3), np.eye(3))
    with pytest.raises(ValueError, match="NaN or infinity"):
        frechet_distance(np.zeros(2), np.eye(2), np.full(2, np.nan), np.eye(2))


@given(seed=st.integers(0, 10**6), n=st.integers(2, 20), m=st.integers(2, 20), ddof=st.sampled_from([0, 1]))
def test_the_class_merges_shards_into_the_functions_value(seed: int, n: int, m: int, ddof: int) -> None:
    rng = np.random.default_rng(seed)
    gen, real = rng.normal(3, 1, size=(n, 5)), rng.normal(size=(m, 5))
    first, second = (FrechetVideoDistance(d=5, ddof=ddof) for _ in range(2))
    first.update(torch.from_numpy(gen[:1]), real=False)
    second.update(torch.from_numpy(gen[1:]), real=False)
    second.update(torch.from_numpy(real), real=True)
    first.merge_state(second)
    assert float(first.compute()) == pytest.approx(fvd(gen, real, ddof), rel=1e-6, abs=1e-8)


def test_the_class_wants_two_clips_a_side() -> None:
    metric = FrechetVideoDistance(d=3)
    metric.update(torch.zeros(4, 3), real=True)
    with pytest.raises(ValueError, match="at least two generated clips, found 0"):
        metric.compute()
    with pytest.raises(ValueError, match=r"features \(B, d\) are expected, found \(1, 3, 9, 8, 8\)"):
        metric.update(torch.zeros(1, 3, 9, 8, 8), real=True)


def test_moments_are_unbiased() -> None:
    values = np.random.default_rng(0).normal(size=(50, 4))
    own = moments(values)
    assert own.covariance == pytest.approx(np.cov(values, rowvar=False, ddof=1))
    assert moments(values, ddof=0).covariance == pytest.approx(np.cov(values, rowvar=False, ddof=0))
    assert own.n == 50


@pytest.mark.parametrize(
    ("values", "message"), [(np.zeros((1, 3)), "at least two"), (np.full((3, 2), np.nan), "NaN or infinity")]
)
def test_bad_features_are_refused(values: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        moments(values)
