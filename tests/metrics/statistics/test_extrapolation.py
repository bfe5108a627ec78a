"""FVD against the number of clips, FVD∞, and several seeds; published values by seed as an example."""

import numpy as np
import pandas as pd
import pytest

from metrics.distances.fvd import fvd
from metrics.statistics.bootstrap import Uncertainty
from metrics.statistics.extrapolation import fvd_by_clips, fvd_infinity, over_seeds
from metrics.statistics.sides import Features

FEW = Uncertainty(resamples=200)


def sides(seed: int, n: int, shift: float, d: int = 20) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(shift, 1, size=(n, d)), rng.normal(size=(n, d))


def test_the_line_takes_the_bias_off() -> None:
    """Gaussians whose distance is known: 20 · 0.2² = 0.8. The plain value is biased, the limit is not."""
    plain, limits = [], []
    for seed in range(8):
        gen, real = sides(seed, 400, 0.2)
        plain.append(fvd(gen, real))
        limit = fvd_infinity(Features.of(gen), Features.of(real), FEW, smallest=60)
        assert limit is not None
        limits.append(limit)
    assert np.mean(plain) > 1.2
    assert np.mean([limit.value for limit in limits]) == pytest.approx(0.8, abs=0.12)
    assert sum(limit.low <= 0.8 <= limit.high for limit in limits) >= 7


def test_the_interval_is_as_wide_as_the_spread() -> None:
    found = [fvd_infinity(*(Features.of(side) for side in sides(i, 300, 0.2)), FEW, smallest=60) for i in range(25)]
    needed = 2 * 1.96 * np.std([one.value for one in found if one])
    assert 0.7 <= np.mean([one.high - one.low for one in found if one]) / needed <= 1.4


def test_the_limit_wants_twice_the_smallest_subset_of_clips() -> None:
    gen, real = (Features.of(side) for side in sides(0, 100, 0))
    fewer = real.keep(np.arange(100) < 60)
    assert fvd_infinity(gen, real, FEW, smallest=51) is None
    assert fvd_infinity(gen, Features.of(fewer.values), FEW, smallest=50) is None
    assert fvd_infinity(gen, real, FEW, smallest=50) is not None
    windows = Features(np.repeat(gen.values, 2, axis=0), np.arange(100).repeat(2))
    assert fvd_infinity(windows, windows, FEW, smallest=51) is None  # 200 windows are 100 clips


def test_curves_fall_towards_the_whole() -> None:
    gen, real = sides(1, 200, 0.0)
    curve = fvd_by_clips(gen, real, [25, 50, 100, 200], seeds=range(3))
    assert len(curve) == 12
    means = curve.groupby("n").fvd.mean()
    assert means.is_monotonic_decreasing
    assert curve[curve.n == 200].fvd.tolist() == pytest.approx([fvd(gen, real)] * 3)
    with pytest.raises(ValueError, match=r"sizes \[1, 201\] are out of range: expected 2 … 200"):
        fvd_by_clips(gen, real, [1, 50, 201], seeds=[0])


def test_published_values_over_seeds(shared) -> None:
    """FETV's FVD of CogVideo at 1,024 clips, by seed: mean, sd and minimum by pandas."""
    table = pd.read_csv(shared / "data/fvd/fetv_fvd_by_n_seed.csv")
    own = table[(table.metric == "fvd_results") & (table.model == "cogvideo") & (table.n_videos == 1024)].value
    found = over_seeds(own.tolist())
    assert found.n == len(own) >= 3
    assert (found.mean, found.sd, found.minimum) == pytest.approx((own.mean(), own.std(), own.min()))
    assert np.isnan(over_seeds([3.0]).sd)
    with pytest.raises(ValueError, match="no seed"):
        over_seeds([])
