"""Leaders against a second, naive way to find and compare them; ties, gaps, and methods that share no clip."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.distances.fvd import fvd
from metrics.distances.kvd import kernel_distance
from metrics.scoring.measured import Measured, Provenance
from metrics.scoring.protocol import named
from metrics.statistics.bootstrap import Uncertainty
from pipeline.evaluation.catalogue import METRICS
from pipeline.evaluation.evaluated import Evaluated
from pipeline.evaluation.leaders import COLUMNS, leaders, members, separation
from pipeline.evaluation.sample import MethodSample

NOWHERE = Provenance({}, {})
REAL = np.random.default_rng(99).normal(size=(40, 4))


def measured(clips: Sequence[int], logits: np.ndarray, clipsim: Sequence[float]) -> Measured:
    table = pd.DataFrame({"clip": [f"c{i}" for i in clips], "window": 0, "clipsim": clipsim})
    return Measured(table.assign(content=table["clip"], codec="", decoder=""), logits, len(table), [], NOWHERE)


def sample(name: str, asked: str = "prompts", clips: Sequence[int] = range(30), quality: float = 0.5) -> MethodSample:
    """A method with one clip of each prompt, the better the higher its quality in [0, 1]."""
    rng = np.random.default_rng(len(name) * 100 + int(quality * 10))
    keys = pd.DataFrame({"prompt_id": list(clips), "mixture": list(clips), "seed": 0})
    own = measured(clips, rng.normal(1 - quality, 1, (len(clips), 4)), quality / 2 + rng.normal(0, 0.02, len(clips)))
    judged = keys.assign(content=rng.random(len(clips)) < quality, average=quality + rng.normal(0, 0.1, len(clips)))
    verdicts = keys.assign(success=rng.random(len(clips)) < quality)
    method = Evaluated(name, own.table, own, named("reelbench"), 1, asked)
    real = measured(range(40), REAL, [0.0] * 40)
    return MethodSample(own, real, method.protocol, Uncertainty(300), method, verdicts, judged)


def values_of(samples: Sequence[MethodSample]) -> dict[tuple[str, str], float]:
    """The plain value of each metric."""
    values = {}
    for own in samples:
        name, logits = own.method.name, own.gen.logits
        values[name, "fvd"], values[name, "kvd"] = fvd(logits, REAL), kernel_distance(logits, REAL)
        values[name, "clipsim"] = float(own.gen.table.clipsim.mean())
        values[name, "success_rate"] = float(own.verdicts.success.mean())
        values[name, "content"], values[name, "average"] = own.judged.content.mean(), own.judged.average.mean()
        values[name, "frames_per_second"], values[name, "parameters"] = 1.0 + len(name), 10.0
    return values


def rows_of(samples: Sequence[MethodSample], **further: Sequence[str]) -> pd.DataFrame:
    found = leaders(members(samples, further), values_of(samples), separation)
    return pd.DataFrame(found, columns=list(COLUMNS))


def shared_rows(best: MethodSample, second: MethodSample) -> tuple[list[int], list[int]]:
    """Rows of the clips that both have, by looking for each name in the other."""
    names = [list(own.gen.table["clip"]) for own in (best, second)]
    both = [name for name in names[0] if name in names[1]]
    return [names[0].index(name) for name in both], [names[1].index(name) for name in both]


def naive_difference(metric: str, best: MethodSample, second: MethodSample) -> float:
    """best - second on the clips that both have."""
    values = []
    for own, rows in zip((best, second), shared_rows(best, second), strict=True):
        if metric in ("fvd", "kvd"):
            distance = fvd if metric == "fvd" else kernel_distance
            values.append(distance(own.gen.logits[rows], REAL))
        else:
            table = own.verdicts if metric == "success_rate" else own.judged
            column = "success" if metric == "success_rate" else metric
            values.append((own.gen.table if metric == "clipsim" else table)[column].to_numpy(float)[rows].mean())
    return values[0] - values[1]


def exact_sign_flips(best: MethodSample, second: MethodSample) -> float:
    """Two-sided p of success, from the binomial coefficients."""
    rows = shared_rows(best, second)
    a, b = (own.verdicts.success.to_numpy()[i] for own, i in zip((best, second), rows, strict=True))
    alone, n = int((a & ~b).sum()), int((a != b).sum())
    tail = sum(math.comb(n, i) for i in range(min(alone, n - alone) + 1)) / 2**n
    return min(1.0, 2 * tail)


def naive_holm(p: Sequence[float]) -> list[float]:
    """The largest over those that are no larger, each times the number of those that are no smaller."""
    known = [one for one in p if not math.isnan(one)]
    return [
        one if math.isnan(one) else min(1.0, max(q * sum(r >= q for r in known) for q in known if q <= one))
        for one in p
    ]


def test_leaders_are_those_of_the_naive_way() -> None:
    samples = [sample("a", quality=0.1), sample("bb", clips=range(5, 35), quality=0.95), sample("ccc", quality=0.6)]
    by_name, found = {own.method.name: own for own in samples}, rows_of(samples).set_index("metric")
    assert list(found.index) == ["fvd", "kvd", "clipsim", "success_rate", "content", "average", "frames_per_second"]
    for metric in ("fvd", "kvd", "clipsim", "success_rate", "content", "average"):
        row = found.loc[metric]
        assert (row.table, row.best, row.second, row.pairs) == ("prompts", "bb", "ccc", 25), metric
        difference = naive_difference(metric, by_name["bb"], by_name["ccc"])
        assert row.difference == pytest.approx(difference, rel=1e-6, abs=1e-9), metric
    assert found.loc["success_rate"].p == pytest.approx(exact_sign_flips(by_name["bb"], by_name["ccc"]))
    assert found.p_holm.tolist() == pytest.approx(naive_holm(found.p.tolist()), nan_ok=True)
    tested = found[found.pairs > 0]
    assert (tested.separated == (tested.p_holm < 0.05)).all()
    assert found.loc[["clipsim", "average"]].separated.all()
    assert found.loc["clipsim"].low > 0 and found.loc["success_rate"].low > 0
    assert (tested.clusters == 25).all()  # a clip of each prompt
    speed = found.loc["frames_per_second"]
    assert (speed.best, speed.second, speed.pairs, speed.separated) == ("ccc", "bb", 0, False)


def test_equal_methods_are_not_separated() -> None:
    a, b = sample("x"), sample("y")
    found = rows_of([a, b]).set_index("metric")
    assert (found.best == "x").all() and (found.second == "y").all()  # the first of equals
    assert not found.separated.any()
    assert found.loc["success_rate"].p == 1


def test_a_method_that_was_not_measured_is_no_leader() -> None:
    samples = [sample("a", quality=0.2), sample("bb", quality=0.5), sample("ccc", quality=0.9)]
    values = values_of(samples)
    values["ccc", "clipsim"] = float("nan")
    del values["bb", "clipsim"]
    found = pd.DataFrame(leaders({"t": samples}, values, separation)).set_index("metric")
    alone = found.loc["clipsim"]
    assert (alone.best, alone.second, alone.pairs, alone.separated) == ("a", "", 0, False)
    assert np.isnan([alone.difference, alone.low, alone.high, alone.p]).all()
    assert "ssim" not in found.index  # of nobody


def test_methods_without_a_common_clip_are_not_tested() -> None:
    found = rows_of([sample("a", quality=0.1), sample("b", clips=range(50, 80), quality=0.9)])
    assert (found.pairs == 0).all() and not found.separated.any()
    assert found.difference.isna().all()


def test_who_is_worse_on_the_common_clips_does_not_lead_by_a_test() -> None:
    """b is best by the mean over its clips, and worse wherever a has one."""
    a, b = sample("a"), sample("b", clips=range(60))
    a.gen.table["clipsim"] = 0.3 + np.arange(30) / 1e4
    b.gen.table["clipsim"] = [0.2] * 30 + [0.9] * 30
    row = rows_of([a, b]).set_index("metric").loc["clipsim"]
    assert (row.best, row.pairs, row.separated) == ("b", 30, False)
    assert row.high < 0


def test_tables_are_by_what_methods_were_asked_for() -> None:
    samples = [sample(name, asked) for name, asked in (("a", "prompts"), ("b", "mixtures"), ("c", "videos"))]
    found = members(samples, {"ablation": ["c", "a"]})
    names = {table: [own.method.name for own in of_table] for table, of_table in found.items()}
    assert names == {"mixtures": ["b", "c"], "prompts": ["a"], "ablation": ["c", "a"]}


def untested(*_: Any) -> dict[str, Any]:
    return {"pairs": 0, "difference": math.nan, "p": math.nan}


@given(st.lists(st.floats(-5, 5) | st.just(float("nan")), max_size=6))
def test_the_best_two_are_the_ends_of_the_order(numbers: list[float]) -> None:
    """For both directions; a metric without one has no leader."""
    samples = [sample(f"m{i}", clips=range(2)) for i in range(len(numbers))]
    names = ("fvd", "clipsim", "parameters")
    values = {(f"m{i}", metric): number for i, number in enumerate(numbers) for metric in names}
    found = {row["metric"]: row for row in leaders({"t": samples}, values, untested)}
    known = sorted(number for number in numbers if not math.isnan(number))
    if not known:
        assert found == {}
        return
    assert set(found) == {"fvd", "clipsim"}
    for metric, order in (("fvd", known), ("clipsim", known[::-1])):
        assert values[found[metric]["best"], metric] == order[0]
        assert len(known) < 2 or values[found[metric]["second"], metric] == order[1]
        assert found[metric]["best"] != found[metric]["second"]


def test_every_metric_of_the_catalogue_with_a_direction_can_lead() -> None:
    values = {("a", name): 1.0 for name in METRICS}
    found = [row["metric"] for row in leaders({"t": [sample("a")]}, values, separation)]
    assert found == [name for name, metric in METRICS.items() if metric.higher_is_better is not None]
