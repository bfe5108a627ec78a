"""FVD against the number of clips, FVD∞, and several seeds; published values by seed as an example."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.distances.fvd import fvd
from metrics.statistics.bootstrap import Uncertainty
from metrics.statistics.extrapolation import fvd_by_clips, fvd_infinity
from metrics.statistics.sides import Features

FEW, NONE = Uncertainty(resamples=200), Uncertainty(resamples=0)


def sides(seed: int, n: int, shift: float, d: int = 20) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(shift, 1, size=(n, d)), rng.normal(size=(n, d))


def test_the_line_takes_the_bias_off_and_holds_the_truth() -> None:
    """Gaussians whose distance is known: 8 · 0.3² = 0.72. The plain value is biased, the limit is not, and its interval
    is as wide as its spread."""
    found, plain = [], []
    for seed in range(60):
        gen, real = sides(seed, 100, 0.3, 8)
        plain.append(fvd(gen, real))
        found.append(fvd_infinity(Features.of(gen), Features.of(real), FEW, smallest=25))
    values = np.array([one.value for one in found if one])
    assert np.mean(plain) > 1.05
    assert values.mean() == pytest.approx(0.72, abs=0.1)
    assert np.mean([one.low <= 0.72 <= one.high for one in found if one]) >= 0.87
    assert 0.8 <= np.mean([one.high - one.low for one in found if one]) / (2 * 1.96 * values.std()) <= 1.4


@given(seed=st.integers(0, 10**6), clustered=st.booleans())
@settings(max_examples=8, deadline=None)
def test_no_order_of_files_changes_the_limit(seed: int, clustered: bool) -> None:
    """Clips of one and two windows in another order, under other numbers; also in clusters."""
    rng = np.random.default_rng(seed)
    gen, real = sides(seed, 90, 0.2, 4)
    groups, clusters = np.r_[np.arange(60), np.arange(30)], np.arange(60) % 30
    rows, number = rng.permutation(90), rng.permutation(60)
    renamed = np.empty(60, int)
    renamed[number] = clusters
    one = Features(gen, groups, clusters if clustered else None)
    other = Features(gen[rows], number[groups][rows], 7 - renamed if clustered else None)
    found, expected = (
        fvd_infinity(gen_side, Features.of(real_side), FEW, smallest=30)
        for gen_side, real_side in ((other, real[rng.permutation(90)]), (one, real))
    )
    assert found is not None and expected is not None
    assert vars(found) == pytest.approx(vars(expected), abs=1e-9)


def test_subsets_take_clusters_whole() -> None:
    """Clips four times over are as good as a quarter of them: as clusters they have the bias of that, which the line
    takes off; as clips they seem to have none left to take off."""
    limits = {True: [], False: []}
    for seed in range(12):
        gen, real = sides(seed, 60, 0.3, 8)
        copies = Features(np.repeat(gen, 4, axis=0), np.arange(240), np.arange(240) // 4)
        for clustered in limits:
            limit = fvd_infinity(
                copies if clustered else copies.apart, Features.of(np.repeat(real, 4, axis=0)), NONE, smallest=60
            )
            limits[clustered].append(limit.value)
    assert abs(np.mean(limits[True]) - 0.72) < abs(np.mean(limits[False]) - 0.72) - 0.1


def test_the_limit_wants_twice_the_smallest_subset_of_clips() -> None:
    gen, real = (Features.of(side) for side in sides(0, 100, 0))
    assert fvd_infinity(gen, real, FEW, smallest=51) is None
    assert fvd_infinity(gen, Features.of(real.values[:60]), FEW, smallest=50) is None
    found = fvd_infinity(gen, real, FEW, smallest=50)
    assert found is not None and found.low < found.value < found.high
    windows = Features(np.repeat(gen.values, 2, axis=0), np.arange(100).repeat(2))
    assert fvd_infinity(windows, windows, FEW, smallest=51) is None  # 200 windows are 100 clips
    one_prompt = Features(gen.values, gen.groups, np.zeros(100))  # subsets take clips, but nothing can be resampled
    found = fvd_infinity(one_prompt, real, FEW, smallest=50)
    assert found is not None and np.isfinite(found.value) and np.isnan(found.low)


def test_curves_fall_towards_the_whole() -> None:
    gen, real = sides(1, 200, 0.0)
    curve = fvd_by_clips(gen, real, [25, 50, 100, 200], seeds=range(3))
    assert len(curve) == 12
    means = curve.groupby("n").fvd.mean()
    assert means.is_monotonic_decreasing
    shuffled = fvd_by_clips(gen[np.random.default_rng(5).permutation(200)], real, [25, 50, 100, 200], seeds=range(3))
    assert shuffled.fvd.tolist() == pytest.approx(curve.fvd.tolist(), abs=1e-9)
    assert curve[curve.n == 200].fvd.tolist() == pytest.approx([fvd(gen, real)] * 3)
    with pytest.raises(ValueError, match=r"sizes \[1, 201\] are out of range: expected 2 … 200"):
        fvd_by_clips(gen, real, [1, 50, 201], seeds=[0])
