"""The table of votes: one row for each answered question, as `reelbench study export` writes it.

| column | content |
| --- | --- |
| study, design | name of the study; best_of, pairwise, attributes, mixture or rating |
| rater | opaque id |
| profession, years | background; empty if it was not asked for |
| trial | 1, 2, …: the position in the rater's sequence |
| check, passed | practice, identical, obvious, or empty for a real trial; if an attention check was passed |
| prompt, caption | id of the prompt or mixture, and the text that was shown |
| clips, shown | clip ids and their methods in the order shown, joined with "|" |
| question, answer | key of the question; a method or "tie", yes or no, or 1 … 5 |
| seconds, voted | from the trial first shown to the vote; time of the vote, ISO 8601 in UTC |
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

COLUMNS = (
    *("study", "design", "rater", "profession", "years", "trial", "check", "passed", "prompt", "caption", "clips"),
    *("shown", "question", "answer", "seconds", "voted"),
)
CHOICES = ("best_of", "pairwise")  # designs whose answer is one of the methods shown
BINARY = ("attributes", "mixture")
DESIGNS = (*CHOICES, *BINARY, "rating")
ATTENTION = ("identical", "obvious")
CHECKS = ("", "practice", *ATTENTION)
TIE = "tie"
YES, NO = "yes", "no"
SCALE = ("1", "2", "3", "4", "5")
SEPARATOR = "|"
_FILLED = ("study", "rater", "prompt", "clips", "shown", "question", "answer", "voted")
_BACKGROUND = ("profession", "years")


class VotesError(ValueError):
    """A table of votes is wrong; the message names file, row and field, what was found and what was expected."""


def read(files: Sequence[Path]) -> pd.DataFrame:
    """The votes of all files (.csv or .parquet), checked.

    Returns:
        COLUMNS: texts, but trial (int), years (float, NaN where empty), seconds (float), passed (bool, None where it is
        no attention check or not known), voted (time in UTC).

    Raises:
        VotesError: if a file is missing, no table, has other columns, a value that its field does not allow, or the
            same answer twice. Rows are counted as an editor does, the header being row 1.
    """
    return pd.concat([check(_table(file), str(file)) for file in files], ignore_index=True).pipe(_known_once, files)


def check(table: pd.DataFrame, source: str = "votes") -> pd.DataFrame:
    """A table as `read` returns it, from texts or from typed columns. source: what messages call it.

    Raises:
        VotesError: as `read`.
    """
    wrong = [name for name in COLUMNS if name not in table] or [name for name in table if name not in COLUMNS]
    if wrong:
        raise VotesError(f"{source}: columns are {', '.join(map(str, table))}; expected {', '.join(COLUMNS)}")
    if not len(table):
        raise VotesError(f"{source}: has no rows, expected at least one vote")
    table = _as_texts(table[list(COLUMNS)].reset_index(drop=True))
    _check_texts(table, source)
    checked = table.assign(**_typed(table, source))
    _check_answers(checked, source)
    _check_sequences(table.assign(trial=checked.trial), source)
    return checked


def split(joined: str) -> list[str]:
    """The entries of `clips` or `shown`, in their order."""
    return joined.split(SEPARATOR)


def real(votes: pd.DataFrame) -> pd.DataFrame:
    """The votes that count: neither practice nor attention checks."""
    return votes[votes.check == ""].reset_index(drop=True)


def methods(votes: pd.DataFrame) -> list[str]:
    """Every method that was shown, sorted."""
    return sorted({name for shown in votes.shown.unique() for name in split(shown)})


def unit(votes: pd.DataFrame) -> pd.Series:
    """What a vote is about: its clips, in whatever order they were shown. Raters who saw the same can agree."""
    named = votes.shown.str.split(SEPARATOR, regex=False), votes.clips.str.split(SEPARATOR, regex=False)
    keys = [SEPARATOR.join(sorted(map("/".join, zip(*pair, strict=True)))) for pair in zip(*named, strict=True)]
    return pd.Series(keys, index=votes.index, dtype=str)


def _table(file: Path) -> pd.DataFrame:
    """A file as a table, CSV as texts."""
    if not file.is_file():
        raise VotesError(f"{file}: no such file of votes")
    try:
        if file.suffix == ".parquet":
            return pd.read_parquet(file)
        return pd.read_csv(file, dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:  # what pandas and pyarrow raise for a broken file
        raise VotesError(f"{file}: is no table of votes, expected CSV or Parquet: {error}") from error


def _as_texts(table: pd.DataFrame) -> pd.DataFrame:
    """Every value as a text, empty where there is none."""
    texts = {}
    for name, column in table.items():
        if pd.api.types.is_datetime64_any_dtype(column):
            column = column.map(lambda time: time.isoformat(), na_action="ignore")
        elif pd.api.types.is_float_dtype(column) and name in ("years", "trial"):
            column = column.astype("Int64")
        texts[name] = column.astype(object).where(column.notna(), "").map(str)
    return pd.DataFrame(texts)


def _check_texts(table: pd.DataFrame, source: str) -> None:
    for name in _FILLED:
        _refuse(table, name, table[name].str.strip() == "", "a value", source)
    _refuse(table, "design", ~table.design.isin(DESIGNS), f"one of {', '.join(DESIGNS)}", source)
    _refuse(table, "check", ~table.check.isin(CHECKS), f"nothing, or one of {', '.join(CHECKS[1:])}", source)
    asked = table.check.isin(ATTENTION)
    truth = table.passed.str.lower()
    _refuse(table, "passed", asked & ~truth.isin(["true", "false", ""]), "true, false or nothing", source)
    _refuse(table, "passed", ~asked & (truth != ""), "nothing where the trial is no attention check", source)
    counts = table.shown.str.count(r"\|") + 1, table.clips.str.count(r"\|") + 1
    _refuse(table, "shown", counts[0] != counts[1], "as many methods as clips", source)
    several = table.design.isin(CHOICES)
    _refuse(table, "shown", several & (counts[0] < 2), "at least two methods joined with |", source)
    _refuse(table, "shown", (table.design == "pairwise") & (counts[0] > 2), "two methods joined with |", source)
    _refuse(table, "shown", ~several & (counts[0] > 1), "one method", source)
    named_tie = table.shown.str.split(SEPARATOR, regex=False).map(lambda names: TIE in names)
    _refuse(table, "shown", named_tie, f"methods of other names: {TIE} is an answer", source)


def _typed(table: pd.DataFrame, source: str) -> dict[str, pd.Series]:
    """The columns that are no texts."""
    numbers = {name: pd.to_numeric(table[name], errors="coerce") for name in ("trial", "years", "seconds")}
    whole = {name: numbers[name] % 1 == 0 for name in ("trial", "years")}
    _refuse(table, "trial", ~(whole["trial"] & (numbers["trial"] >= 1)), "a whole number from 1", source)
    years = (table.years != "") & ~(whole["years"] & (numbers["years"] >= 0))
    _refuse(table, "years", years, "nothing, or a whole number from 0", source)
    wrong = ~(np.isfinite(numbers["seconds"]) & (numbers["seconds"] >= 0))
    _refuse(table, "seconds", wrong, "a number from 0", source)
    voted = pd.to_datetime(table.voted, errors="coerce", utc=True, format="ISO8601")
    _refuse(table, "voted", voted.isna(), "a time in ISO 8601", source)
    passed = table.passed.str.lower().map({"true": True, "false": False, "": None}).astype(object)
    passed = passed.where(passed.notna(), None)
    return numbers | {"trial": numbers["trial"].astype(int), "passed": passed, "voted": voted}


def _check_answers(table: pd.DataFrame, source: str) -> None:
    """Every answer is one that its design has."""
    for design, allowed in {**dict.fromkeys(BINARY, (YES, NO)), "rating": SCALE}.items():
        wrong = (table.design == design) & ~table.answer.isin(allowed)
        _refuse(table, "answer", wrong, f"one of {', '.join(allowed)}", source)
    choices = table[table.design.isin(CHOICES)]
    offered = [answer in (TIE, *split(shown)) for answer, shown in zip(choices.answer, choices.shown, strict=True)]
    wrong = pd.Series(True, choices.index).where(~np.array(offered, bool), False)
    _refuse(table, "answer", wrong.reindex(table.index, fill_value=False), "one of the methods shown, or tie", source)


def _check_sequences(table: pd.DataFrame, source: str) -> None:
    """One design for each study, one background for each rater, no answer twice."""
    for key, name in (("study", "design"), *((["study", "rater"], field) for field in _BACKGROUND)):
        first = table.groupby(key, sort=False)[name].transform("first")
        said = "the design that the study has above" if name == "design" else "what the rater's other rows say"
        _refuse(table, name, table[name] != first, said, source)
    again = table.duplicated(["study", "rater", "trial", "question"])
    _refuse(table, "question", again, "each question of a rater's trial once", source)


def _known_once(table: pd.DataFrame, files: Sequence[Path]) -> pd.DataFrame:
    """Files may hold different raters of one study, but no answer that another has too."""
    again = table[table.duplicated(["study", "rater", "trial", "question"])]
    if len(again):
        one = again.iloc[0]
        raise VotesError(
            f"{', '.join(map(str, files))}: {one.study}, rater {one.rater}, trial {one.trial}, question {one.question} "
            "is in more than one of the files, expected it in one"
        )
    return table


def _refuse(table: pd.DataFrame, name: str, wrong: pd.Series, expected: str, source: str) -> None:
    found = np.flatnonzero(wrong.to_numpy(bool))
    if len(found):
        row = int(found[0])
        raise VotesError(f"{source}: row {row + 2}, field {name}: found {table[name].iloc[row]!r}, expected {expected}")
