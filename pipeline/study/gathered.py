"""What has been gathered so far: the votes, how far every rater is, how well they agree."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from statistics import median
from typing import Any

import pandas as pd
from sqlalchemy import Row, func, select

from metrics.user_study.reliability import alpha, coded
from metrics.user_study.votes import real, unit
from pipeline.study import tables, votes
from pipeline.study.records import Progress
from pipeline.study.rows import trial_of, utc
from pipeline.study.store import Store
from pipeline.study.votes import Answered, Rater


@dataclass(frozen=True)
class Agreement:
    """On one question: the share of pairs of answers to the same clips that are equal (None without a pair), how many
    there are, and Krippendorff's alpha (nominal; ordinal for ratings; None where it is not defined)."""

    question: str
    share: float | None
    pairs: int
    alpha: float | None


def votes_of(store: Store) -> pd.DataFrame:
    """All votes so far, as `votes.table` has them."""
    study = store.recorded().study
    return votes.table(chain.from_iterable(votes.rows(study, rater, own) for rater, own in answered(store)))


def answered(store: Store) -> list[tuple[Rater, list[Answered]]]:
    """The votes of every rater who agreed to take part, in the order of their numbers."""
    with store.reading() as db:
        agreed = select(tables.rater).where(tables.rater.c.agreed.is_not(None)).order_by(tables.rater.c.number)
        raters = {row.id: (Rater(row.id, row.profession, row.years), []) for row in db.execute(agreed)}
        trials = {(row.rater, row.number): trial_of(row) for row in db.execute(select(tables.trial))}
        given: dict[tuple[str, int], list[Row[Any]]] = {}
        for row in db.execute(select(tables.vote).order_by(tables.vote.c.rater, tables.vote.c.trial)):
            given.setdefault((row.rater, row.trial), []).append(row)
    for key, rows in given.items():
        answers = {row.question: row.answer for row in rows}
        last = max(row.voted for row in rows)
        raters[key[0]][1].append(Answered(trials[key], answers, rows[0].seconds, utc(last)))
    return list(raters.values())


def progress(store: Store) -> list[Progress]:
    """How far every rater is, in the order in which they were made."""
    with store.reading() as db:
        raters = db.execute(select(tables.rater).order_by(tables.rater.c.made, tables.rater.c.id)).all()
        counted = select(tables.trial.c.rater, func.count()).group_by(tables.trial.c.rater)
        trials = dict(db.execute(counted).tuples().all())
        seconds: dict[str, dict[int, float]] = {}
        for row in db.execute(select(tables.vote.c.rater, tables.vote.c.trial, tables.vote.c.seconds)):
            seconds.setdefault(row.rater, {})[row.trial] = row.seconds
    taken = {row.id: tuple(seconds.get(row.id, {}).values()) for row in raters}
    return [
        Progress(row.id, utc(row.agreed), len(taken[row.id]), trials.get(row.id, 0), taken[row.id]) for row in raters
    ]


def seconds_per_trial(found: list[Progress]) -> float | None:
    """The median over all answered trials; None before the first."""
    taken = [one for rater in found for one in rater.seconds]
    return median(taken) if taken else None


def agreement(table: pd.DataFrame) -> list[Agreement]:
    """How well raters agree on each question, of the real trials of a vote table."""
    counted = real(table)
    units = counted.assign(unit=unit(counted))
    return [_agreement(str(question), own) for question, own in units.groupby("question", sort=False)]


def _agreement(question: str, own: pd.DataFrame) -> Agreement:
    same = sum(_pairs(count) for _, unit in own.groupby("unit") for count in unit.answer.value_counts())
    pairs = sum(_pairs(len(unit)) for _, unit in own.groupby("unit"))
    return Agreement(question, same / pairs if pairs else None, pairs, _alpha(own))


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def _alpha(own: pd.DataFrame) -> float | None:
    paired = own[own.unit.duplicated(keep=False)]
    if paired.answer.nunique() < 2:  # nobody disagreed, and chance could not have either
        return None
    return alpha(*coded(paired))


def passed_checks(table: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Of each rater who met a check: how many trials passed, with all of their answers, and how many there are."""
    checks = table[table.passed.notna()].astype({"passed": bool})
    trials = checks.groupby(["rater", "trial"]).passed.all()
    return {str(rater): (int(own.sum()), len(own)) for rater, own in trials.groupby("rater")}


def shares(table: pd.DataFrame) -> Iterator[tuple[str, str, int]]:
    """(question, answer, votes) of the real trials, the most frequent answer of each question first."""
    for question, own in real(table).groupby("question", sort=False):
        yield from ((str(question), str(answer), int(count)) for answer, count in own.answer.value_counts().items())
