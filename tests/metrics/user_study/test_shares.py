"""Shares of methods: counted by hand, and the printed ones of ETC's Table 4."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from metrics.statistics.bootstrap import Uncertainty
from metrics.user_study.shares import by, of_raters, overall, sums_apart
from tests.metrics.user_study.tables import table

FEW = Uncertainty(resamples=50)
ANSWERS = st.lists(
    st.tuples(st.sampled_from(["r-1", "r-2", "r-3"]), st.sampled_from("pqx"), st.sampled_from(["a", "b", "c", "tie"])),
    min_size=1,
    max_size=25,
)


@given(ANSWERS)
@settings(max_examples=30)
def test_shares_and_ties_add_up(answers: list[tuple[str, str, str]]) -> None:
    votes = table([{"rater": r, "prompt": p, "shown": "a|b|c", "answer": answer} for r, p, answer in answers])
    found = overall(votes, FEW).set_index("method")
    assert found.value.sum() == pytest.approx(1)
    assert list(found.index) == ["a", "b", "c", "tie"]
    for name in found.index:
        assert found.picked[name] == sum(answer == name for *_, answer in answers)
    assert (found.wilson_low <= found.value + 1e-12).all() and (found.value <= found.wilson_high + 1e-12).all()
    bounded = found[found.low.notna()]
    assert ((bounded.low >= 0) & (bounded.high <= 1)).all()


def test_a_method_counts_where_it_was_shown() -> None:
    votes = table([{"shown": "a|b", "answer": "a"}, {"shown": "b|c", "answer": "b"}, {"shown": "a|c", "answer": "tie"}])
    found = overall(votes, FEW).set_index("method")
    assert found.votes.to_dict() == {"a": 2, "b": 2, "c": 2, "tie": 3}
    assert found.value.to_dict() == pytest.approx({"a": 0.5, "b": 0.5, "c": 0, "tie": 1 / 3})


def test_groups_have_their_own_votes() -> None:
    rows = [{"rater": "r-1", "profession": "AI", "answer": "a", "prompt": p} for p in "pq"]
    rows += [{"rater": "r-2", "profession": "Art", "answer": "b", "prompt": p} for p in "pqx"]
    for column, first, second in (("profession", "AI", "Art"), ("rater", "r-1", "r-2")):
        found = by(table(rows), column, FEW).set_index([column, "method"])
        assert found.value[first, "a"] == 1 and found.votes[first, "a"] == 2
        assert found.value[second, "a"] == 0 and found.votes[second, "b"] == 3


@pytest.fixture
def printed(shared: Path) -> pd.DataFrame:
    """ETC's Table 4."""
    reference = yaml.safe_load((shared / "reference/paper_tables.yaml").read_text())["etc_table4"]
    return pd.DataFrame(reference["rows"], columns=reference["columns"]).set_index("volunteer")


def test_the_papers_volunteers(printed: pd.DataFrame) -> None:
    """ETC's mean is 37.5 %, not the 35.44 of Table 1, and one row adds up to 90 %."""
    shares = printed.drop(columns=["profession", "occupation"])
    found = of_raters(shares, whole=100).set_index("method")
    assert found.value["ETC"] == pytest.approx(37.49)
    low, high = stats.t.interval(0.95, 9, shares.ETC.mean(), stats.sem(shares.ETC))
    assert (found.low["ETC"], found.high["ETC"]) == pytest.approx((low, high))
    assert sums_apart(shares) == {"WFpZ": pytest.approx(90.0)}
    one = of_raters(shares.iloc[:1], whole=100).set_index("method")
    assert np.isnan(one.low["ETC"])
    rare = of_raters(pd.DataFrame({"x": [0.0, 0.0, 30.0]}), whole=100).iloc[0]
    assert (rare.low, rare.value) == (0.0, 10.0)  # Student's would be below 0
