"""Strengths: against the likelihood of Davidson's model maximised by another algorithm, and Bradley and Terry's MM."""

from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from metrics.statistics.bootstrap import Uncertainty
from metrics.user_study.strength import outcomes, strengths
from tests.metrics.user_study.tables import table

NONE, FEW = Uncertainty(resamples=0), Uncertainty(resamples=100)
NAMES = ("a", "b", "c")


def votes(counts: dict[tuple[str, str, str], int]) -> pd.DataFrame:
    """Pairwise votes: how often each (a, b, answer) was given, over six raters and seven prompts."""
    rows = [
        {"design": "pairwise", "question": "q", "shown": f"{a}|{b}", "answer": answer}
        for (a, b, answer), count in counts.items()
        for _ in range(count)
    ]
    return table([{**row, "rater": f"r-{i % 6}", "prompt": f"p-{i % 7}"} for i, row in enumerate(rows)])


COUNTS = st.fixed_dictionaries(
    {(a, b, answer): st.integers(1, 9) for a, b in combinations(NAMES, 2) for answer in (a, b, "tie")}
)


@given(COUNTS)
@settings(max_examples=20)
def test_strengths_maximise_the_likelihood_with_ties(counts: dict[tuple[str, str, str], int]) -> None:
    """Davidson (1970): P(tie) = 2 v sqrt(pi_a pi_b) / (pi_a + pi_b + 2 v sqrt(pi_a pi_b))."""
    found = strengths(votes(counts), NONE).set_index("method")

    def unlikely(x: np.ndarray) -> float:
        pi, v, total = dict(zip(NAMES, np.exp([0, *x[:2]]), strict=True)), np.exp(x[2]), 0.0
        for (a, b, answer), count in counts.items():
            tie = 2 * v * np.sqrt(pi[a] * pi[b])
            total -= count * np.log((tie if answer == "tie" else pi[answer]) / (pi[a] + pi[b] + tie))
        return total

    best = minimize(unlikely, np.zeros(3), method="BFGS", options={"gtol": 1e-7})
    pi = np.exp([0, *best.x[:2]])
    assert found.value.to_numpy() == pytest.approx(pi / pi.sum(), abs=2e-4)
    assert found.tie.iloc[0] == pytest.approx(np.exp(best.x[2]), rel=2e-3)


@given(st.fixed_dictionaries({(a, b, w): st.integers(1, 9) for a, b in combinations(NAMES, 2) for w in (a, b)}))
@settings(max_examples=20)
def test_without_ties_they_are_bradley_and_terrys(counts: dict[tuple[str, str, str], int]) -> None:
    """By the algorithm of Zermelo (1929), which Hunter (2004) calls MM."""
    wins: Counter[str] = Counter()
    games: Counter[frozenset[str]] = Counter()
    for (a, b, winner), count in counts.items():
        wins[winner] += count
        games[frozenset((a, b))] += count
    pi = dict.fromkeys(NAMES, 1 / 3)
    for _ in range(2000):
        new = {i: wins[i] / sum(games[frozenset((i, j))] / (pi[i] + pi[j]) for j in NAMES if j != i) for i in NAMES}
        pi = {name: value / sum(new.values()) for name, value in new.items()}
    found = strengths(votes(counts), NONE).set_index("method").value
    assert found.to_dict() == pytest.approx(pi, abs=1e-4)


def test_of_the_best_of_all_they_are_the_shares() -> None:
    answers = ["a"] * 12 + ["b"] * 6 + ["c"] * 2
    rows = [
        {"shown": "a|b|c", "answer": answer, "rater": f"r-{i % 4}", "prompt": f"p-{i % 5}"}
        for i, answer in enumerate(answers)
    ]
    found = strengths(table(rows), FEW).set_index("method")
    assert found.value.to_dict() == pytest.approx({"a": 0.6, "b": 0.3, "c": 0.1}, abs=1e-4)
    assert (found.low <= found.value).all() and (found.value <= found.high).all()
    assert found.low["a"] < 0.6 < found.high["a"]


def test_who_never_won_is_at_zero() -> None:
    counts = {("a", "b", "a"): 5, ("a", "c", "a"): 4, ("a", "c", "c"): 1, ("b", "c", "c"): 3}
    found = strengths(votes(counts), FEW).set_index("method")
    assert found.value["b"] == pytest.approx(0, abs=1e-3)
    assert np.isfinite(found[["value", "low", "high"]].to_numpy()).all()


def test_ties_beside_a_method_that_never_won_leave_no_maximum() -> None:
    """a → 0 and v → ∞ fit four wins of b and four ties ever better."""
    assert not len(strengths(votes({("a", "b", "b"): 4, ("a", "b", "tie"): 4}), FEW))
    assert len(strengths(votes({("a", "b", "b"): 4, ("a", "b", "a"): 1, ("a", "b", "tie"): 4}), FEW)) == 2


def test_methods_that_were_never_compared_have_no_common_scale() -> None:
    assert not len(strengths(votes({("a", "b", "a"): 3, ("c", "d", "d"): 3}), NONE))


def test_a_pick_beats_all_others_and_a_tie_ties_all() -> None:
    own = table([{"shown": "b|a|c", "answer": "b"}, {"shown": "b|a|c", "answer": "tie"}])
    found = outcomes(own)
    assert set(found[found.vote == 0][["a", "b", "outcome"]].itertuples(index=False, name=None)) == {
        ("a", "b", 1),
        ("b", "c", 0),
    }
    assert found[found.vote == 1].outcome.tolist() == [2, 2, 2]
