"""Raters who do not exist: votes from what the judge measured of a study's clips, plus noise, by a stated model.

A clip's utility u for a question is the weighted mean of what the judge found (0 or 1 each) about what the question
asks (`ABOUT`); a rater weighs each finding by exp(normal x `taste`). Then

- best of N, pairs: picks the clip of the largest u + Gumbel x `noise`, so that shares follow a multinomial logit; says
  "cannot tell", where that is an answer, if the second is within `undecided`;
- yes or no: yes if u + lenience + logistic x `noise` is above one half; rating: 1 + 4 (that sum), rounded, within 1-5;
- lenience is the rater's, normal x `lenience`; a broken clip has utility -1;
- the same clip on all sides is "cannot tell", and a clip that comes again gets its answer again;
- any answer is a lapse with probability `lapses`: one at random. A share `careless` of the raters, rounded up, answers
  everything at random, and fast.

The table is the one that the app exports, checks with their outcome included.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zlib import crc32

import numpy as np
import pandas as pd

from metrics.user_study.votes import NO, TIE, YES
from pipeline.config.study import Simulated
from pipeline.study import votes
from pipeline.study.design import BROKEN, Study
from pipeline.study.plan import IDENTICAL, Item, Trial, trials
from pipeline.study.questions import SIDE_BY_SIDE

ABOUT: Mapping[str, tuple[str, ...]] = {  # what of the judge's findings a question asks about; all of them otherwise
    "motion": ("action", "smooth"),
    "consistency": ("not_weird",),
    "match": ("content", "action"),
    "shows_a": ("present_a",),
    "shows_b": ("present_b",),
}
Findings = Mapping[tuple[str, str], Mapping[str, float]]  # of (method, clip): what the judge found, in [0, 1]

_NOBODY = "sim-"  # what ids of simulated raters begin with; the app's do not
_WORST = -1.0
_FIRST = datetime(2026, 1, 1, 9, tzinfo=UTC)
_SECONDS, _CARELESS_SECONDS = 9.0, 2.0  # median time of a trial
_MOST_YEARS = 12


@dataclass(frozen=True)
class _Rater:
    number: int
    careless: bool
    taste: Mapping[str, float]  # weight of each finding
    lenience: float
    random: np.random.Generator


def simulate(study: Study, items: Sequence[Item], seen: Findings, model: Simulated) -> pd.DataFrame:
    """The votes of `raters.expected` simulated raters, as `reelbench study export` would write them.

    Args:
        items: those of the study. seen: what the judge found of every method's clip of each item, the same names for
            all.
    """
    seeds = [model.seed, study.seed, crc32(study.name.encode())]
    random = np.random.default_rng(seeds)
    count = study.raters.expected
    careless = set(random.permutation(count)[: int(np.ceil(model.careless * count))].tolist())
    findings = sorted(next(iter(seen.values())))
    rows: list[dict[str, object]] = []
    for number in range(count):
        own = np.random.default_rng([*seeds, number])
        taste = dict(zip(findings, np.exp(own.normal(0, model.taste, len(findings))), strict=True))
        rater = _Rater(number, number in careless, taste, float(own.normal(0, model.lenience)), own)
        rows += votes.rows(study, _described(study, rater), _sitting(study, items, seen, model, rater))
    return votes.table(rows)


def is_simulated(table: pd.DataFrame) -> bool:
    """Whether any of the votes is a simulated rater's, wherever the table was read from."""
    return bool(table.rater.str.startswith(_NOBODY).any())


def _described(study: Study, rater: _Rater) -> votes.Rater:
    """Background answers, where the study asks."""
    professions, asks = study.background.professions, study.background.years
    profession = str(rater.random.choice(professions)) if professions else None
    years = int(rater.random.integers(0, _MOST_YEARS)) if asks else None
    return votes.Rater(f"{_NOBODY}{rater.number + 1:03d}", profession, years)


def _sitting(
    study: Study, items: Sequence[Item], seen: Findings, model: Simulated, rater: _Rater
) -> list[votes.Answered]:
    """All trials of a rater, one after the other."""
    now, answered = _FIRST + timedelta(hours=rater.number), []
    given: dict[int, Mapping[str, str]] = {}
    for trial in trials(study, items, rater.number):
        given[trial.number] = {key: _answer(study, trial, key, given, seen, model, rater) for key in study.asked}
        median = _CARELESS_SECONDS if rater.careless else _SECONDS
        seconds = float(median * np.exp(rater.random.normal(0, 0.5)))
        now += timedelta(seconds=seconds)
        answered.append(votes.Answered(trial, given[trial.number], seconds, now))
    return answered


def _answer(
    study: Study,
    trial: Trial,
    question: str,
    given: Mapping[int, Mapping[str, str]],
    seen: Findings,
    model: Simulated,
    rater: _Rater,
) -> str:
    if rater.careless or rater.random.random() < model.lapses:
        return str(rater.random.choice(study.answers))
    if trial.repeats is not None:
        return given[trial.repeats][question]
    if trial.check == IDENTICAL:
        return TIE
    utilities = np.array([_utility(seen, method, trial.item, question, rater) for method in trial.shown])
    if study.design in SIDE_BY_SIDE:
        return _picked(utilities, study.ties, model, rater)
    felt = float(utilities[0] + rater.lenience + model.noise * rater.random.logistic())
    if study.design == "rating":
        return str(round(float(np.clip(1 + 4 * felt, 1, 5))))
    return YES if felt > 0.5 else NO


def _utility(seen: Findings, method: str, item: Item, question: str, rater: _Rater) -> float:
    if method == BROKEN:
        return _WORST
    found = seen[method, item.id]
    asked = ABOUT.get(question, (question,))
    names = [name for name in asked if name in found] or list(found)
    return float(np.average([found[name] for name in names], weights=[rater.taste[name] for name in names]))


def _picked(utilities: np.ndarray, ties: bool, model: Simulated, rater: _Rater) -> str:
    """The number of the side, from 1."""
    felt = utilities + model.noise * rater.random.gumbel(size=len(utilities))
    second, first = np.sort(felt)[-2:]
    return TIE if ties and first - second < model.undecided else str(int(felt.argmax()) + 1)
