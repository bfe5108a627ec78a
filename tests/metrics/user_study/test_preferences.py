"""Preferences: counted by hand, exact p from the binomial distribution, Holm against its definition."""

from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.statistics.bootstrap import Uncertainty
from metrics.user_study.preferences import pairs, preferences
from tests.metrics.user_study.tables import table

FEW = Uncertainty(resamples=200)


def votes(wins: int, losses: int, ties: int = 0, other: str = "b", question: str = "motion") -> list[dict[str, str]]:
    """Votes between a and another method, by five raters on eight prompts."""
    cells = [(f"r-{i}", f"p-{j}") for i, j in product(range(5), range(8))]
    answers = ["a"] * wins + [other] * losses + ["tie"] * ties
    shown = [f"a|{other}", f"{other}|a"]
    return [
        {"design": "pairwise", "shown": shown[i % 2], "answer": answer, "question": question, "rater": r, "prompt": p}
        for i, (answer, (r, p)) in enumerate(zip(answers, cells, strict=False))
    ]


def test_counts_and_the_exact_test() -> None:
    (row,) = preferences(table(votes(15, 5, 4)), FEW).to_dict("records")
    assert (row["wins"], row["losses"], row["ties"], row["votes"]) == (15, 5, 4, 24)
    assert row["value"] == 0.75
    assert row["p_exact"] == pytest.approx(2 * sum(comb(20, k) for k in range(6)) / 2**20)
    assert row["p_exact_holm"] == row["p_exact"]
    assert row["low"] < 0.75 < row["high"]


def test_the_candidate_is_what_all_pairs_share() -> None:
    rows = [{**one, "shown": one["shown"].replace("a", "z"), "answer": "z"} for one in votes(3, 0)]
    rows += [{**one, "shown": one["shown"].replace("a", "z"), "answer": "z"} for one in votes(2, 0, other="c")]
    assert pairs(table(rows)) == [("z", "b"), ("z", "c")]
    assert pairs(table(votes(3, 1))) == [("a", "b")]


def test_every_question_and_opponent_is_a_cell_of_the_family() -> None:
    rows = [*votes(34, 2), *votes(11, 9, question="quality"), *votes(0, 0, 3, "c"), *votes(4, 4, 0, "c", "quality")]
    found = preferences(table(rows), FEW).set_index(["question", "opponent"])
    assert len(found) == 4
    assert np.isnan(found.value["motion", "c"]) and np.isnan(found.p_holm["motion", "c"])  # ties alone
    assert found.p_exact_holm["motion", "b"] == pytest.approx(3 * found.p_exact["motion", "b"])
    assert found.p["motion", "b"] < 0.05 < found.p["quality", "b"]


def test_votes_that_come_in_clusters_are_no_proof() -> None:
    """Four raters of ten votes each, three of whom always say a: 30 to 10 is nothing for the binomial test to see."""
    rows = [
        {"design": "pairwise", "rater": f"r-{i}", "prompt": f"p-{j}", "answer": "b" if i == 3 else "a"}
        for i in range(4)
        for j in range(10)
    ]
    (row,) = preferences(table(rows), FEW).to_dict("records")
    assert row["p_exact"] < 0.01
    assert row["p"] > 0.05 and row["low"] <= 0.5


@given(wins=st.integers(9, 15), losses=st.integers(0, 12))
@settings(max_examples=15)
def test_the_decisive_p_is_never_below_the_exact_one(wins: int, losses: int) -> None:
    """Also where all votes are alike, and every resample of them is too."""
    (row,) = preferences(table(votes(wins, losses)), FEW).to_dict("records")
    assert row["p"] >= row["p_exact"]
    assert row["low"] <= row["value"] <= row["high"]
    assert row["low"] < row["high"]


def test_large_tables_can_be_decided() -> None:
    """With 20 cells and 200 resamples, p could not fall below 20 x 2 / 201 after Holm's correction."""
    rows = [one for i in range(20) for one in votes(40, 0, question=f"q{i}")]
    assert preferences(table(rows), FEW).p_holm.max() <= 0.005
