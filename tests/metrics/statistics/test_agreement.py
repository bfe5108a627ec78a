"""Agreement with ratings: each correlation against its definition, groups, intervals, and errors in the table."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
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


def test_what_says_nothing_is_no_number() -> None:
    table = pd.DataFrame({"m": [1.0, 2.0, 3.0, 4.0], "h": [3, 3, 3, 3], "g": ["a", "a", "b", "b"]})
    assert agreement(table, "m", "h", "g", FEW).value.isna().all()


def test_errors_name_row_and_field(tmp_path: Path) -> None:
    table = pd.DataFrame({"m": ["1", "x", "3"], "h": [1, 2, 3]})
    with pytest.raises(ValueError, match="row 3, field m: 'x' is no finite number"):
        agreement(table, "m", "h")
    with pytest.raises(ValueError, match="no column 'q', expected one of m, h"):
        agreement(table, "q", "h")
    with pytest.raises(ValueError, match="no such file"):
        read_ratings(tmp_path / "none.csv")
    (tmp_path / "empty.csv").write_text("m,h\n")
    with pytest.raises(ValueError, match="no rows"):
        read_ratings(tmp_path / "empty.csv")
