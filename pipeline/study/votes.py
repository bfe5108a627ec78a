"""The vote table: one row for each answered question, without names; what the app exports and the analysis reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from metrics.user_study.votes import COLUMNS, NO, SEPARATOR, TIE
from pipeline.config.study import SUFFIXES
from pipeline.study.design import BROKEN, Study
from pipeline.study.plan import IDENTICAL, OBVIOUS, Trial
from pipeline.study.questions import SIDE_BY_SIDE

_LOW = 2  # the highest rating that a broken clip may get
_NEAR = 1  # how far two ratings of the same clip may be apart


@dataclass(frozen=True)
class Rater:
    """Who voted: an opaque id, and the answers about their background (None: not asked)."""

    id: str
    profession: str | None = None
    years: int | None = None


@dataclass(frozen=True)
class Answered:
    """A trial and its answers by question, as `Study.answers` lists them: a side is a number from the left. seconds:
    from the trial first shown to its first vote. voted: when the answers were last given."""

    trial: Trial
    answers: Mapping[str, str]
    seconds: float
    voted: datetime


def rows(study: Study, rater: Rater, answered: Sequence[Answered]) -> Iterator[dict[str, object]]:
    """The rows of one rater; trials without an answer to a question have none for it."""
    given = {one.trial.number: one.answers for one in answered}
    for one in answered:
        for question in (key for key in study.asked if key in one.answers):
            yield _row(study, rater, one, question, passed(study, one.trial, question, given))


def table(of_rows: Iterator[dict[str, object]] | Sequence[dict[str, object]]) -> pd.DataFrame:
    """All rows with the columns of COLUMNS, typed: years a whole number, passed true or false, both with gaps."""
    found = pd.DataFrame(list(of_rows), columns=list(COLUMNS))
    kinds = {"years": "Int64", "trial": "int64", "passed": "boolean", "seconds": "float64"}
    texts = {name: "str" for name in COLUMNS if name not in kinds}
    return found.astype(kinds | texts)


def write(votes: pd.DataFrame, path: Path) -> None:
    """Write votes as CSV or Parquet, by the suffix; empty cells where there is nothing to say.

    Raises:
        ValueError: for another suffix, or a folder.
    """
    check_target(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.tmp")
    if path.suffix == ".csv":
        aside.write_text(as_csv(votes), encoding="utf-8", newline="")
    else:
        votes.to_parquet(aside, index=False)
    aside.replace(path)


def as_csv(votes: pd.DataFrame) -> str:
    """Votes as the text of a CSV file: passed is true, false or empty."""
    said = votes.passed.map({True: "true", False: "false"})
    return votes.assign(passed=said).to_csv(index=False, lineterminator="\n")


def check_target(path: Path) -> None:
    """Refuse a file that votes cannot be written to.

    Raises:
        ValueError: naming it and what was expected.
    """
    if path.suffix not in SUFFIXES or path.is_dir():
        raise ValueError(f"{path}: votes are written to a file, expected a name that ends in {' or '.join(SUFFIXES)}")


def passed(study: Study, trial: Trial, question: str, given: Mapping[int, Mapping[str, str]]) -> bool | None:
    """Whether an answer passes its check; None where the trial is none, or where the first answer is missing.

    Identical: "cannot tell" where the same clip stands on all sides; where a clip was shown twice, the same answer
    again (ratings at most one apart). Obvious: the one clip that is not broken; of a broken clip alone "no", or a
    rating of at most 2.

    Args:
        given: answers by the number of the trial, then by question.
    """
    answer = given[trial.number][question]
    if trial.check == OBVIOUS:
        return _sees_broken(trial, answer)
    if trial.check != IDENTICAL:
        return None
    if study.design in SIDE_BY_SIDE:
        return answer == TIE
    before = given.get(trial.repeats or 0, {}).get(question)
    if before is None:
        return None
    return abs(int(answer) - int(before)) <= _NEAR if study.design == "rating" else answer == before


def _sees_broken(trial: Trial, answer: str) -> bool:
    if len(trial.shown) > 1:
        return answer != TIE and trial.shown[int(answer) - 1] != BROKEN
    return answer == NO or (answer.isdigit() and int(answer) <= _LOW)


def _row(study: Study, rater: Rater, one: Answered, question: str, ok: bool | None) -> dict[str, object]:
    trial, answer = one.trial, one.answers[question]
    sided = study.design in SIDE_BY_SIDE and answer != TIE
    values = (
        *(study.name, study.design, rater.id, rater.profession or "", rater.years, trial.number, trial.check, ok),
        *(trial.item.prompt, trial.item.caption, SEPARATOR.join([trial.item.id] * len(trial.shown))),
        *(SEPARATOR.join(trial.shown), question, trial.shown[int(answer) - 1] if sided else answer),
        *(round(one.seconds, 3), one.voted.astimezone(UTC).isoformat(timespec="seconds")),
    )
    return dict(zip(COLUMNS, values, strict=True))
