"""Who is left out, and what is said about it."""

import pytest

from metrics.user_study.exclusion import kept, raters, sentence
from tests.metrics.user_study.tables import table


def votes(failed: dict[str, int], checks: int = 4) -> list[dict[str, object]]:
    """One real vote of each rater, and `checks` attention checks, of which so many were failed."""
    real = [{"rater": rater} for rater in failed]
    asked = [
        {"rater": rater, "check": "obvious", "passed": i >= number}
        for rater, number in failed.items()
        for i in range(checks)
    ]
    return [*real, *asked, *({"rater": rater, "check": "practice"} for rater in failed)]


def test_more_than_half_is_too_much() -> None:
    own = table(votes({"r-1": 0, "r-2": 1, "r-3": 2, "r-4": 3, "r-5": 4}))
    found = raters(own)
    assert found.set_index("rater").excluded.to_dict() == {
        **dict.fromkeys(("r-1", "r-2", "r-3"), False),
        **dict.fromkeys(("r-4", "r-5"), True),
    }
    assert found.votes.tolist() == [1] * 5 and found.checks.tolist() == [4] * 5
    assert set(kept(own, found).rater) == {"r-1", "r-2", "r-3"}
    assert "2 of 5, failed: r-4 (3 of 4), r-5 (4 of 4)." in sentence(found)


@pytest.mark.parametrize(("most", "left"), [(0.0, 4), (0.25, 3), (1.0, 0)])
def test_the_rule_is_a_choice(most: float, left: int) -> None:
    found = raters(table(votes({"r-1": 0, "r-2": 1, "r-3": 2, "r-4": 3, "r-5": 4})), most)
    assert found.excluded.sum() == left
    assert f"more than {100 * most:g} %" in sentence(found, most)


def test_a_check_is_failed_by_one_wrong_answer() -> None:
    """Two of three checks have one wrong answer of four each: by answers that were 2 of 12."""
    asked = [
        {
            "rater": "r-1",
            "check": "identical",
            "trial": trial,
            "question": f"q{q}",
            "passed": (trial, q) not in [(2, 1), (3, 0)],
        }
        for trial in (1, 2, 3)
        for q in range(4)
    ]
    (row,) = raters(table([*asked, {"rater": "r-1", "trial": 9}])).to_dict("records")
    assert (row["checks"], row["failed"], row["excluded"]) == (3, 2, True)


def test_a_check_without_an_outcome_is_none() -> None:
    (row,) = raters(table([{"check": "identical"}, {"trial": 2}])).to_dict("records")
    assert (row["checks"], row["failed"], row["excluded"]) == (0, 0, False)


def test_without_checks_nobody_is_left_out() -> None:
    found = raters(table(votes({"r-1": 0}, checks=0)))
    assert not found.excluded.any()
    assert "this study has none" in sentence(found)


def test_raters_of_two_studies_are_not_mixed_up() -> None:
    """The same id in another study is another person."""
    careless = [{**one, "study": "t"} for one in votes({"r-1": 4})]
    own = table([*votes({"r-1": 0}), *careless])
    assert set(kept(own, raters(own)).study) == {"s"}
