"""The table of votes: every field is checked, and an error names file, row, field, what was found and expected."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.user_study.votes import COLUMNS, VotesError, check, read, real, unit
from tests.metrics.user_study.tables import row, table

WRONG = [
    ("study", {"study": " "}, "a value"),
    ("design", {"design": "best"}, "one of best_of, pairwise"),
    ("rater", {"rater": ""}, "a value"),
    ("years", {"years": "1.5"}, "nothing, or a whole number from 0"),
    ("years", {"years": "-1"}, "nothing, or a whole number from 0"),
    ("trial", {"trial": "0"}, "a whole number from 1"),
    ("trial", {"trial": "x"}, "a whole number from 1"),
    ("check", {"check": "odd"}, "nothing, or one of practice, identical, obvious"),
    ("passed", {"check": "identical", "passed": "1"}, "true, false or nothing"),
    ("passed", {"passed": "true"}, "nothing where the trial is no attention check"),
    ("prompt", {"prompt": ""}, "a value"),
    ("clips", {"clips": ""}, "a value"),
    ("shown", {"shown": "a|b|c"}, "as many methods as clips"),
    ("shown", {"shown": "a", "clips": "c"}, "at least two methods"),
    ("shown", {"shown": "a|tie"}, "methods of other names"),
    ("shown", {"design": "pairwise", "shown": "a|b|c", "clips": "1|2|3"}, "two methods"),
    ("shown", {"design": "rating", "answer": "3"}, "one method"),
    ("question", {"question": ""}, "a value"),
    ("answer", {"answer": "c"}, "one of the methods shown, or tie"),
    ("answer", {"design": "attributes", "shown": "a", "clips": "c", "answer": "maybe"}, "one of yes, no"),
    ("answer", {"design": "rating", "shown": "a", "clips": "c", "answer": "6"}, "one of 1, 2, 3, 4, 5"),
    ("seconds", {"seconds": "-1"}, "a number from 0"),
    ("seconds", {"seconds": "inf"}, "a number from 0"),
    ("voted", {"voted": "yesterday"}, "a time in ISO 8601"),
]


@pytest.mark.parametrize(("field", "changes", "expected"), WRONG, ids=lambda one: str(one))
def test_every_wrong_value_is_named(tmp_path: Path, field: str, changes: dict[str, str], expected: str) -> None:
    file = tmp_path / "votes.csv"
    pd.DataFrame([row(), row(rater="r-2", **{} if "rater" in changes else changes) | changes]).to_csv(file, index=False)
    with pytest.raises(VotesError) as error:
        read([file])
    found = row(**changes)[field]
    assert f"{file}: row 3, field {field}: found {found!r}, expected {expected}" in str(error.value)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"trial": "1"}, "question"),
        ({"trial": "2", "profession": "Art"}, "profession"),
        ({"trial": "2", "years": "3"}, "years"),
        ({"trial": "2", "design": "pairwise"}, "design"),
    ],
)
def test_rows_that_contradict_others_are_named(changes: dict[str, str], field: str) -> None:
    with pytest.raises(VotesError, match=f"votes: row 3, field {field}: "):
        check(pd.DataFrame([row(), row(**changes)]))


def test_what_is_no_table_of_votes_is_named(tmp_path: Path) -> None:
    with pytest.raises(VotesError, match="no such file of votes"):
        read([tmp_path / "none.csv"])
    broken = tmp_path / "votes.parquet"
    broken.write_bytes(b"PAR1 no")
    with pytest.raises(VotesError, match="is no table of votes, expected CSV or Parquet"):
        read([broken])
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(VotesError, match="columns are a, b; expected study, design, rater"):
        read([tmp_path / "other.csv"])
    pd.DataFrame(columns=list(COLUMNS)).to_csv(tmp_path / "empty.csv", index=False)
    with pytest.raises(VotesError, match="has no rows"):
        read([tmp_path / "empty.csv"])


def test_csv_and_parquet_are_read_alike(tmp_path: Path) -> None:
    """Also where Parquet keeps numbers, times and nothing by their types."""
    rows = [row(years=3, profession="NA"), row(trial=2, check="obvious", passed="true", years=3, profession="NA")]
    pd.DataFrame(rows).to_csv(tmp_path / "v.csv", index=False)
    typed = pd.DataFrame(rows).assign(
        years=[3.0, 3.0],
        trial=[1, 2],
        seconds=[2.5, 2.5],
        check=[None, "obvious"],
        passed=pd.array([None, True], dtype="boolean"),
        voted=pd.to_datetime([one["voted"] for one in rows]),
    )
    typed.to_parquet(tmp_path / "v.parquet")
    from_csv, from_parquet = (read([tmp_path / name]) for name in ("v.csv", "v.parquet"))
    pd.testing.assert_frame_equal(from_csv, from_parquet, check_dtype=False)
    assert from_csv.passed.tolist() == [None, True] and from_csv.profession.tolist() == ["NA", "NA"]
    assert real(from_csv).trial.tolist() == [1]


def test_files_add_up_unless_they_hold_the_same_answer(tmp_path: Path) -> None:
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    pd.DataFrame([row()]).to_csv(first, index=False)
    pd.DataFrame([row(rater="r-2")]).to_csv(second, index=False)
    assert read([first, second]).rater.tolist() == ["r-1", "r-2"]
    with pytest.raises(VotesError, match="rater r-1, trial 1, question best is in more than one of the files"):
        read([first, first])


@given(st.permutations(["a", "b", "c"]))
def test_the_order_of_clips_makes_no_other_unit(order: list[str]) -> None:
    shown = "|".join(order)
    votes = table([{"shown": "a|b|c"}, {"shown": shown, "rater": "r-2"}, {"shown": "a|b", "rater": "r-3"}])
    first, second, third = unit(votes)
    assert first == second != third
