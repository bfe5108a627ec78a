"""Agreement so far, against counting by hand."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.study import gathered, votes


def voted(design: str, answers: list[tuple[str, int, str]], check: str = "") -> pd.DataFrame:
    """Votes (rater, item, answer) on one question; sides as the rater saw them, left or right."""
    rows = []
    for place, (rater, item, answer) in enumerate(answers):
        shown = "a|b" if place % 2 else "b|a"
        values = {"study": "s", "design": design, "rater": rater, "trial": place + 1, "check": check, "shown": shown}
        clips = {"prompt": f"p{item}", "clips": f"c{item}|c{item}", "caption": "", "profession": "", "voted": ""}
        rows.append(
            values | clips | {"question": "best", "answer": answer, "seconds": 1.0, "years": None, "passed": None}
        )
    return votes.table(rows)


ANSWERS = st.dictionaries(
    st.tuples(st.sampled_from("rstu"), st.integers(0, 4)), st.sampled_from(["a", "b", "tie"]), min_size=1, max_size=16
)


def by_hand(answers: dict[tuple[str, int], str]) -> tuple[int, int]:
    """Pairs of raters who gave the same answer to an item, and all pairs."""
    pairs = [(x, y) for (one, x), (two, y) in combinations(answers.items(), 2) if one[1] == two[1]]
    return sum(x == y for x, y in pairs), len(pairs)


def alpha_by_hand(answers: dict[tuple[str, int], str]) -> float | None:
    """Krippendorff's alpha from the coincidence matrix (Krippendorff 2011), nominal."""
    values = sorted(set(answers.values()))
    units: dict[int, list[str]] = {}
    for (_, item), answer in answers.items():
        units.setdefault(item, []).append(answer)
    matrix = np.zeros((len(values), len(values)))
    for unit in (unit for unit in units.values() if len(unit) > 1):
        for i, j in ((i, j) for i in range(len(unit)) for j in range(len(unit)) if i != j):
            matrix[values.index(unit[i]), values.index(unit[j])] += 1 / (len(unit) - 1)
    totals, n = matrix.sum(1), matrix.sum()
    expected = (n**2 - (totals**2).sum()) / (n - 1)
    return 1 - (n - np.trace(matrix)) / expected if expected else None


@given(ANSWERS)
def test_pairs_of_raters_are_counted(answers: dict[tuple[str, int], str]) -> None:
    same, pairs = by_hand(answers)
    (found,) = gathered.agreement(voted("best_of", [(rater, item, said) for (rater, item), said in answers.items()]))
    assert found.pairs == pairs
    assert found.share == (same / pairs if pairs else None)


@given(ANSWERS)
def test_alpha_is_that_of_the_coincidence_matrix(answers: dict[tuple[str, int], str]) -> None:
    (found,) = gathered.agreement(voted("best_of", [(rater, item, said) for (rater, item), said in answers.items()]))
    expected = alpha_by_hand(answers) if by_hand(answers)[1] else None
    if expected is None:
        assert found.alpha is None
    else:
        assert found.alpha == pytest.approx(expected)


def test_ratings_that_are_near_agree_more_than_names_would() -> None:
    answers = [("r", 0, "5"), ("s", 0, "4"), ("r", 1, "1"), ("s", 1, "2"), ("r", 2, "3"), ("s", 2, "3")]
    (ordinal,) = gathered.agreement(voted("rating", answers))
    (nominal,) = gathered.agreement(voted("best_of", answers))
    assert ordinal.share == nominal.share == pytest.approx(1 / 3)
    assert ordinal.alpha > 0.7 > 0.3 > nominal.alpha


def test_checks_and_practice_are_no_agreement() -> None:
    answers = [("r", 0, "a"), ("s", 0, "a")]
    assert gathered.agreement(voted("best_of", answers, check="obvious")) == []
    assert list(gathered.shares(voted("best_of", answers, check="practice"))) == []


def test_passed_checks_are_counted_by_rater() -> None:
    table = voted("best_of", [("r", 0, "a"), ("r", 1, "a"), ("s", 0, "b"), ("t", 0, "b")], check="obvious")
    table["passed"] = pd.array([True, False, True, None], "boolean")
    table["trial"] = [1, 2, 1, 1]
    assert gathered.passed_checks(table) == {"r": (1, 2), "s": (1, 1)}
    table["trial"] = 1
    assert gathered.passed_checks(table)["r"] == (0, 1)  # a trial passes with all of its answers


def test_shares_count_votes() -> None:
    table = voted("best_of", [("r", 0, "a"), ("s", 0, "b"), ("r", 1, "b"), ("s", 1, "b")])
    assert list(gathered.shares(table)) == [("best", "b", 3), ("best", "a", 1)]
