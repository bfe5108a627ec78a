"""The vote table says what was answered, by method, and whether checks were passed."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from pipeline.study import votes
from pipeline.study.design import BROKEN
from pipeline.study.plan import IDENTICAL, OBVIOUS, REAL, Trial, trials
from pipeline.study.votes import Answered, Rater
from tests.pipeline.study.small import items, study

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ITEM = items(1)[0]


def rows_of(kind: str, trial: Trial, answers: dict[str, str]) -> list[dict]:
    return list(votes.rows(study(kind), Rater("r-1", "Art", 3), [Answered(trial, answers, 2.34567, NOON)]))


def test_a_side_is_told_as_its_method() -> None:
    trial = Trial(3, REAL, ITEM, ("theirs", "ours"))
    (row,) = rows_of("best_of", trial, {"best": "2"})
    assert row == {
        "study": "small-best-of",
        "design": "best_of",
        "rater": "r-1",
        "profession": "Art",
        "years": 3,
        "trial": 3,
        "check": "",
        "passed": None,
        "prompt": "set/clip-000",
        "caption": "A thing of kind 0 moves.",
        "clips": "clip-000-s0|clip-000-s0",
        "shown": "theirs|ours",
        "question": "best",
        "answer": "ours",
        "seconds": 2.346,
        "voted": "2026-03-01T12:00:00+00:00",
    }
    assert tuple(row) == votes.COLUMNS


def test_every_question_has_a_row_in_the_order_of_the_study() -> None:
    trial = Trial(1, REAL, ITEM, ("theirs", "ours"))
    rows = rows_of("pairwise", trial, {"quality": "tie", "motion": "1", "consistency": "2"})
    assert [(row["question"], row["answer"]) for row in rows] == [
        ("motion", "theirs"),
        ("consistency", "ours"),
        ("quality", "tie"),
    ]


@pytest.mark.parametrize(
    ("kind", "check", "shown", "answer", "passed"),
    [
        ("pairwise", REAL, ("ours", "theirs"), "1", None),
        ("pairwise", "practice", ("ours", "theirs"), "1", None),
        ("pairwise", IDENTICAL, ("ours", "ours"), "tie", True),
        ("pairwise", IDENTICAL, ("ours", "ours"), "2", False),
        ("pairwise", OBVIOUS, (BROKEN, "ours"), "2", True),
        ("pairwise", OBVIOUS, (BROKEN, "ours"), "1", False),
        ("pairwise", OBVIOUS, (BROKEN, "ours"), "tie", False),
        ("best_of", OBVIOUS, (BROKEN, "ours"), "2", True),
        ("best_of", OBVIOUS, (BROKEN, "ours"), "1", False),
        ("attributes", OBVIOUS, (BROKEN,), "no", True),
        ("attributes", OBVIOUS, (BROKEN,), "yes", False),
        ("mixture", OBVIOUS, (BROKEN,), "no", True),
        ("rating", OBVIOUS, (BROKEN,), "2", True),
        ("rating", OBVIOUS, (BROKEN,), "3", False),
    ],
)
def test_checks_pass_by_their_rule(
    kind: str, check: str, shown: tuple[str, ...], answer: str, passed: bool | None
) -> None:
    of, trial = study(kind), Trial(2, check, ITEM, shown)
    question = next(iter(of.asked))
    assert votes.passed(of, trial, question, {2: {question: answer}}) is passed


@pytest.mark.parametrize(
    ("kind", "before", "again", "passed"),
    [
        ("attributes", "yes", "yes", True),
        ("attributes", "yes", "no", False),
        ("mixture", "no", "no", True),
        ("rating", "3", "4", True),
        ("rating", "3", "5", False),
        ("rating", None, "5", None),
    ],
)
def test_a_clip_that_comes_twice_gets_the_same_answer(
    kind: str, before: str | None, again: str, passed: bool | None
) -> None:
    of = study(kind)
    question = next(iter(of.asked))
    given = {4: {question: again}} | ({1: {question: before}} if before else {})
    assert votes.passed(of, Trial(4, IDENTICAL, ITEM, ("ours",), 1), question, given) is passed


@pytest.mark.parametrize("suffix", votes.SUFFIXES)
def test_a_table_is_read_back_as_it_was_written(suffix: str, tmp_path: Path) -> None:
    of = study("pairwise")
    answered = [Answered(trial, dict.fromkeys(of.asked, "tie"), 1.5, NOON) for trial in trials(of, items(6), 0)]
    table = votes.table(votes.rows(of, Rater("r-1"), answered))
    path = tmp_path / "new" / f"votes{suffix}"
    votes.write(table, path)
    back = pd.read_csv(path, keep_default_na=False) if suffix == ".csv" else pd.read_parquet(path)
    assert list(back.columns) == list(votes.COLUMNS)
    assert len(back) == len(table) == 7 * 3
    said = [str(value).lower() if suffix == ".csv" else value for value in back.passed[back.check == IDENTICAL]]
    assert said == ([True] * 3 if suffix == ".parquet" else ["true"] * 3)
    assert back.answer.tolist() == table.answer.tolist()
    assert set(back.years.isna() if suffix == ".parquet" else back.years == "") == {True}


def test_an_empty_table_has_all_columns(tmp_path: Path) -> None:
    votes.write(votes.table([]), tmp_path / "votes.csv")
    assert (tmp_path / "votes.csv").read_text().strip() == ",".join(votes.COLUMNS)


@pytest.mark.parametrize("name", ["votes.txt", "votes", "folder.csv"])
def test_another_kind_of_file_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ValueError, match=r"expected a name that ends in \.csv or \.parquet"):
        votes.check_target(tmp_path / name)
