"""Agreement with ratings: each correlation against its definition, groups, intervals, and errors in the table."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import rankdata

from metrics.statistics.agreement import OVERALL, agreement, read_ratings
from metrics.statistics.bootstrap import Uncertainty

FEW = Uncertainty(resamples=60)


def literal(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Pearson from moments, Spearman as Pearson of ranks, Kendall's tau from concordant and discordant pairs."""

    def pearson(a: np.ndarray, b: np.ndarray) -> float:
        a, b = a - a.mean(), b - b.mean()
        return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))

    signs = [np.sign(x[i] - x[j]) * np.sign(y[i] - y[j]) for i, j in combinations(range(len(x)), 2)]
    total, pairs = sum(signs), len(signs)
    tied = [sum(v[i] == v[j] for i, j in combinations(range(len(v)), 2)) for v in (x, y)]
    least = min(len(set(x)), len(set(y)))
    return {
        "pearson": pearson(x, y),
        "spearman": pearson(rankdata(x), rankdata(y)),
        "kendall_b": total / np.sqrt((pairs - tied[0]) * (pairs - tied[1])),
        "kendall_c": 2 * total / (len(x) ** 2 * (least - 1) / least),
    }


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), min_size=4, max_size=15))
@settings(max_examples=30)
def test_correlations_equal_their_definitions(rows: list[tuple[int, int]]) -> None:
    x, y = (np.array(column, float) for column in zip(*rows, strict=True))
    assume(np.ptp(x) > 0 and np.ptp(y) > 0)
    found = agreement(pd.DataFrame({"m": x, "h": y}), "m", "h", uncertainty=FEW).set_index("correlation")
    for name, value in literal(x, y).items():
        assert found.value[name] == pytest.approx(value, abs=1e-9)
        if len(x) >= 5:
            assert found.low[name] <= value + 1e-9 and value - 1e-9 <= found.high[name]


def test_groups_are_told_apart() -> None:
    """Within each model the metric follows people, across models it does not (Simpson's paradox)."""
    table = pd.DataFrame(
        {"model": ["a"] * 20 + ["b"] * 20, "m": [*range(20), *range(20)], "h": [*range(100, 120), *range(20)]}
    )
    found = agreement(table, "m", "h", "model", FEW)
    assert found.group.drop_duplicates().tolist() == [OVERALL, "a", "b"]
    spearman = found[found.correlation == "spearman"].set_index("group").value
    assert (spearman["a"], spearman["b"]) == pytest.approx((1, 1))
    assert spearman[OVERALL] < 0.6


def test_intervals_narrow_with_items() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for n in (20, 500):
        x = rng.normal(size=n)
        table = pd.DataFrame({"m": x, "h": x + rng.normal(size=n)})
        row = agreement(table, "m", "h", uncertainty=FEW).iloc[0]
        assert row.low < row.value < row.high
        widths.append(row.high - row.low)
    assert widths[1] < widths[0] / 2


def test_intervals_without_ties_are_the_formulas() -> None:
    """Pearson's by scipy; of ranks in Fisher's z, Bonett & Wright 2000."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=23)
    table = pd.DataFrame({"m": x, "h": x + rng.normal(size=23)})
    found = agreement(table, "m", "h", uncertainty=Uncertainty(confidence=0.9)).set_index("correlation")
    pearson = stats.pearsonr(table.m, table.h).confidence_interval(0.9)
    assert (found.low.pearson, found.high.pearson) == pytest.approx((pearson.low, pearson.high))
    for name, variance in {
        "spearman": (1 + found.value.spearman**2 / 2) / 20,
        "kendall_b": 0.437 / 19,
        "kendall_c": 0.437 / 19,
    }.items():
        z = np.arctanh(found.value[name])
        expected = np.tanh([z - 1.6448536 * np.sqrt(variance), z + 1.6448536 * np.sqrt(variance)])
        assert (found.low[name], found.high[name]) == pytest.approx(tuple(expected))


def test_intervals_with_ties_are_the_jackknifes() -> None:
    """Kendall's, by the definition: each item left out, the spread of z by dz/dr, Student's quantile."""
    rng = np.random.default_rng(5)
    x = np.round(rng.normal(size=14), 1)
    y = np.round(x + rng.normal(size=14))
    found = agreement(pd.DataFrame({"m": x, "h": y}), "m", "h", uncertainty=FEW).set_index("correlation")
    for name in ("kendall_b", "kendall_c"):
        left = np.array([literal(np.delete(x, i), np.delete(y, i))[name] for i in range(14)])
        error = np.sqrt(13 / 14 * ((left - left.mean()) ** 2).sum()) / (1 - found.value[name] ** 2)
        z = np.arctanh(found.value[name])
        expected = np.tanh([z - stats.t.ppf(0.975, 13) * error, z + stats.t.ppf(0.975, 13) * error])
        assert (found.low[name], found.high[name]) == pytest.approx(tuple(expected))


def test_copies_in_a_cluster_count_once() -> None:
    """Every item three times over, as clusters, has the interval of the items; as items one far too narrow."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=15)
    table = pd.DataFrame({"m": x, "h": np.round(x + rng.normal(size=15)), "prompt": [f"p{i}" for i in range(15)]})
    copies = pd.concat([table] * 3, ignore_index=True)
    once = agreement(table, "m", "h", uncertainty=FEW, cluster="prompt")
    again = agreement(copies, "m", "h", uncertainty=FEW, cluster="prompt")
    assert again[["value", "low", "high"]].to_numpy() == pytest.approx(once[["value", "low", "high"]].to_numpy())
    apart = agreement(copies, "m", "h", uncertainty=FEW)
    assert ((apart.high - apart.low) < 0.8 * (again.high - again.low)).all()


def test_many_units_are_left_out_in_groups() -> None:
    """400 items with ties: the interval of 200 groups is that of leaving out each, within the noise of groups."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=400)
    table = pd.DataFrame({"m": x, "h": np.round(x + rng.normal(size=400))})
    found = agreement(table, "m", "h", uncertainty=FEW).set_index("correlation")
    left = np.array([stats.kendalltau(table.m.drop(i), table.h.drop(i)).statistic for i in table.index])
    half = 1.96 * np.sqrt(399 * left.var())
    assert (found.high.kendall_b - found.low.kendall_b) / 2 == pytest.approx(half, rel=0.2)


def test_too_few_clusters_give_no_interval() -> None:
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"m": rng.normal(size=10), "h": rng.normal(size=10), "prompt": ["a", "b"] * 5})
    found = agreement(table, "m", "h", uncertainty=FEW, cluster="prompt")
    assert found.value.notna().all() and found.low.isna().all()
    perfect = agreement(table.assign(h=table.m), "m", "h", uncertainty=FEW)  # of few items it is no certainty
    assert perfect.value.to_numpy() == pytest.approx(1)
    assert perfect.low.isna().all() and perfect.high.isna().all()
    assert agreement(table, "m", "h", uncertainty=Uncertainty(0)).low.isna().all()


def test_what_says_nothing_is_no_number() -> None:
    table = pd.DataFrame({"m": [1.0, 2.0, 3.0, 4.0], "h": [3, 3, 3, 3], "g": ["a", "a", "b", "b"]})
    assert agreement(table, "m", "h", "g", FEW).value.isna().all()


def test_errors_name_row_and_field(tmp_path: Path) -> None:
    table = pd.DataFrame({"m": ["1", "x", "3"], "h": [1, 2, 3]})
    with pytest.raises(ValueError, match="row 3, field m: 'x' is no finite number"):
        agreement(table, "m", "h")
    with pytest.raises(ValueError, match="no column 'q', expected one of m, h"):
        agreement(table, "q", "h")
    table = pd.DataFrame({"m": [1, 2, 3], "h": [1, 2, 3], "prompt": ["a", None, "b"]})
    with pytest.raises(ValueError, match="row 3, field prompt: empty, expected the name of a cluster"):
        agreement(table, "m", "h", cluster="prompt")
    with pytest.raises(ValueError, match="no column 'model', expected one of m, h, prompt"):
        agreement(table, "m", "h", "model")
    with pytest.raises(ValueError, match="no such file"):
        read_ratings(tmp_path / "none.csv")
    (tmp_path / "empty.csv").write_text("m,h\n")
    with pytest.raises(ValueError, match="no rows"):
        read_ratings(tmp_path / "empty.csv")
