"""KVD against double sums over pairs, also where a clip has several windows."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import metrics
from metrics.distances import kvd
from metrics.distances.kvd import kernel_distance
from metrics.statistics.bootstrap import kvd_distance
from metrics.statistics.sides import Features


def literal(gen: np.ndarray, real: np.ndarray) -> float:
    """Gretton et al. 2012, equation 3: sums over pairs of different vectors."""

    def k(x: np.ndarray, y: np.ndarray) -> float:
        return (float(x @ y) / len(x) + 1) ** 3

    def within(side: np.ndarray) -> float:
        n = len(side)
        return sum(k(side[i], side[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))

    across = sum(k(x, y) for x in gen for y in real) / (len(gen) * len(real))
    return within(gen) + within(real) - 2 * across


sizes = {"seed": st.integers(0, 10**6), "n": st.integers(2, 9), "m": st.integers(2, 9), "d": st.integers(1, 6)}


@given(**sizes)
def test_distance_equals_the_double_sum(seed: int, n: int, m: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    gen, real = rng.normal(size=(n, d)), rng.normal(0.5, 2, size=(m, d))
    assert kernel_distance(gen, real) == pytest.approx(literal(gen, real), rel=1e-9, abs=1e-9)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    gen, real = rng.normal(size=(23, 5)), rng.normal(size=(17, 5))
    whole = kernel_distance(gen, real)
    monkeypatch.setattr(kvd, "_BLOCK", 4)
    assert kernel_distance(gen, real) == pytest.approx(whole, rel=1e-12)


@given(**sizes)
def test_windows_of_one_clip_are_no_pairs(seed: int, n: int, m: int, d: int) -> None:
    """Two windows a clip: the sums over pairs of different clips."""
    rng = np.random.default_rng(seed)
    gen, real = rng.normal(size=(2 * n, d)), rng.normal(size=(m, d))
    clip = np.arange(n).repeat(2)

    def k(x: np.ndarray, y: np.ndarray) -> float:
        return (float(x @ y) / d + 1) ** 3

    own = np.mean([k(gen[i], gen[j]) for i in range(2 * n) for j in range(2 * n) if clip[i] != clip[j]])
    other = np.mean([k(real[i], real[j]) for i in range(m) for j in range(m) if i != j])
    across = np.mean([k(x, y) for x in gen for y in real])
    assert kernel_distance(gen, real, clip) == pytest.approx(own + other - 2 * across, rel=1e-9, abs=1e-9)


def test_the_estimate_is_unbiased() -> None:
    """Equal distributions: the mean over draws is zero within three standard errors."""
    rng = np.random.default_rng(0)
    found = [kernel_distance(rng.normal(size=(12, 5)), rng.normal(size=(9, 5))) for _ in range(2000)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))


def test_shards_merge() -> None:
    rng = np.random.default_rng(1)
    gen, real = torch.from_numpy(rng.normal(size=(10, 4))), torch.from_numpy(rng.normal(size=(8, 4)))
    first, second = metrics.KernelVideoDistance(), metrics.KernelVideoDistance()
    for metric, rows in ((first, slice(0, 4)), (second, slice(4, None))):
        metric.update(gen[rows], real=False)
        metric.update(real[rows], real=True)
    first.merge_state(second)
    assert float(first.compute()) == pytest.approx(kernel_distance(gen.numpy(), real.numpy()), rel=1e-9)


def test_too_few_clips_are_refused() -> None:
    with pytest.raises(ValueError, match=r"found \(1, 4\) and \(5, 4\)"):
        kernel_distance(np.zeros((1, 4)), np.zeros((5, 4)))
    with pytest.raises(ValueError, match="KVD wants"):
        metrics.KernelVideoDistance().compute()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("side", [0, 1])
def test_what_is_no_number_is_refused(bad: float, side: int) -> None:
    sides = [np.zeros((4, 2)), np.zeros((4, 2))]
    sides[side][2, 1] = bad
    with pytest.raises(ValueError, match="NaN or infinity"):
        kernel_distance(*sides)
    with pytest.raises(ValueError, match="NaN or infinity"):
        kvd_distance(*(Features.of(one) for one in sides))
