"""What stands beside values and differences: flags of few clips, and the subsets of FVD∞ in its fingerprint."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from metrics.scoring.catalogue import FVD, FVD_INFINITY, KVD
from metrics.scoring.measured import COLUMNS, Measured, Provenance
from metrics.scoring.metric import Metric, Sample
from metrics.scoring.protocol import named
from metrics.scoring.summary import compare, summarise
from metrics.statistics.bootstrap import Uncertainty
from metrics.statistics.extrapolation import subsets


def measured(clips: int, seed: int) -> Measured:
    """Clips of one window with 6 features."""
    rows = [(f"c{i}", 0, f"{seed}-{i}", "h264", "pyav", "32x32") for i in range(clips)]
    logits = np.random.default_rng(seed).normal(0.1 * seed, 1, size=(clips, 6)).astype(np.float32)
    provenance = Provenance({"i3d": "w"}, {"i3d": "I3D"})
    return Measured(pd.DataFrame(rows, columns=COLUMNS), logits, clips, [], provenance)


def sample(clips: int, seed: int, real: int = 500) -> Sample:
    return Sample(measured(clips, seed), measured(real, 0), named("reelbench"), Uncertainty(20))


@pytest.mark.parametrize(
    ("metric", "clips", "real", "flag"),
    [
        (FVD, 400, 500, "n = 400 < 401"),
        (FVD, 401, 500, ""),
        (FVD, 500, 300, "n = 300 < 401"),
        (KVD, 15, 30, "n = 15 < 16"),
        (KVD, 16, 16, ""),
    ],
)
def test_a_value_and_a_difference_carry_the_flag_of_few_clips(metric: Metric, clips: int, real: int, flag: str) -> None:
    first, second = (sample(clips, seed, real) for seed in (1, 2))
    (value,) = summarise([metric.name], first)
    found = compare(metric, first, second)
    assert found is not None
    assert (value.flag, found.flag, found.pairs) == (flag, flag, clips)
    assert found.difference.low < found.difference.value < found.difference.high


def test_wide_features_want_more_clips() -> None:
    """Of features of one's own: a difference as a value, and the smallest subset that the fingerprint names."""
    sides = []
    for seed in range(3):
        own = measured(1100, seed)
        logits = np.random.default_rng(seed).normal(0.1 * seed, 1, size=(1100, 420)).astype(np.float32)
        made_by = replace(own.provenance, preparations={"i3d": ("none", "[0, 1]")})
        sides.append(replace(own, logits=logits, provenance=made_by))
    real, first, second = sides
    samples = [Sample(side, real, named("reelbench"), Uncertainty(20)) for side in (first, second)]
    (limit,) = summarise([FVD_INFINITY.name], samples[0])
    assert limit.fingerprint.subsets == subsets(538)
    few = [
        replace(own, gen=replace(own.gen, table=own.gen.table[:410], logits=own.gen.logits[:410])) for own in samples
    ]
    found = compare(FVD, *few)
    assert found is not None and found.flag == "features of your own; n = 410 < 421"


def test_the_subsets_of_the_limit_are_in_its_fingerprint() -> None:
    own = sample(1024, 1, 1024)
    (limit,) = summarise([FVD_INFINITY.name], own)
    assert limit.fingerprint.choices["subsets"] == subsets()
    assert subsets().startswith("25 draws of 4 sizes, evenly in 1/n from all to 512 clips")
    shuffled = np.random.default_rng(0).permutation(1024)
    gen = replace(own.gen, table=own.gen.table.iloc[shuffled], logits=own.gen.logits[shuffled])
    (again,) = summarise([FVD_INFINITY.name], replace(own, gen=gen))
    assert again.interval.value == pytest.approx(limit.interval.value, abs=1e-9)
    assert again.fingerprint == limit.fingerprint
    (fewer,) = summarise([FVD_INFINITY.name], sample(1000, 1))
    assert (fewer.flag, fewer.fingerprint.subsets) == ("needs 1024 clips a side", None)
    (plain,) = summarise([FVD.name], own)
    assert "subsets" not in plain.fingerprint.choices
