"""All tables of several studies: whose votes count, and what a table without rows looks like."""

import pytest

from metrics.statistics.bootstrap import Uncertainty
from metrics.user_study import shares
from metrics.user_study.votes import real
from pipeline.study.analysis import NOTHING_MEASURED, tables
from tests.metrics.user_study.tables import table

FEW = Uncertainty(resamples=30)
VOTES = [{"rater": f"r-{r}", "prompt": f"p{p}", "answer": "ab"[(r + p) % 3 == 0]} for r in range(4) for p in range(4)]
FAILED = [{"rater": "r-0", "check": "obvious", "passed": False}]


def test_raters_who_failed_do_not_count_and_are_listed() -> None:
    found = tables(table([*VOTES, *FAILED]), NOTHING_MEASURED, False, FEW)
    without = real(table([one for one in VOTES if one["rater"] != "r-0"]))
    expected = shares.overall(without, FEW).set_index("method")
    own = found["shares"].query("group == 'overall'").set_index("method")
    assert own.value.to_dict() == expected.value.to_dict() and own.votes["a"] == 12
    (study,) = found["studies"].to_dict("records")
    assert (study["raters"], study["excluded"], study["votes"], study["prompts"]) == (4, 1, 12, 4)
    assert "1 of 4, failed: r-0 (1 of 1)." in study["rule"]
    assert found["raters"].set_index("rater").excluded.to_dict() == {f"r-{r}": r == 0 for r in range(4)}
    assert "r-0" not in set(found["shares"].key)


def test_the_rule_can_be_waived() -> None:
    found = tables(table([*VOTES, *FAILED]), NOTHING_MEASURED, False, FEW, most_failed=1.0)
    assert found["studies"].votes.tolist() == [16]


def test_a_study_of_careless_raters_alone_has_no_tables() -> None:
    found = tables(table([*VOTES[:4], *FAILED]), NOTHING_MEASURED, False, FEW)
    assert found["studies"][["excluded", "votes"]].to_dict("records") == [{"excluded": 1, "votes": 0}]
    for name, own in found.items():
        assert {"study", "simulated"} <= set(own)
        assert name in ("studies", "raters") or not len(own)


def test_studies_are_told_apart() -> None:
    rating = [
        {
            "study": "t",
            "design": "rating",
            "question": "quality",
            "rater": f"r-{r}",
            "prompt": p,
            "shown": "a",
            "answer": "4",
        }
        for r in range(2)
        for p in "pq"
    ]
    found = tables(table([*VOTES, *rating]), NOTHING_MEASURED, True, FEW)
    assert found["studies"].study.tolist() == ["s", "t"]
    assert set(found["shares"].study) == {"s"} and found["shares"].simulated.all()
    (row,) = found["ratings"].to_dict("records")
    assert (row["study"], row["value"]) == ("t", pytest.approx(4))
    assert set(found["reliability"].study) == {"s", "t"}
    assert set(found["planning"].study) == set(found["strengths"].study) == {"s"}
