"""Simulated raters: their votes are the table that the app exports, and follow the model that is stated."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, softmax

from metrics.user_study import exclusion
from metrics.user_study.votes import DESIGNS, check, read, real, split
from pipeline.config.study import Simulated
from pipeline.study import votes as export
from pipeline.study.plan import IDENTICAL, OBVIOUS, Item, trials
from pipeline.study.simulated import Findings, simulate
from tests.pipeline.study.small import items, study

PLAIN = Simulated(noise=0.3, taste=0, lenience=0, undecided=0, careless=0, lapses=0, seed=0)
SHIPPED = Simulated(noise=0.3, taste=0.5, lenience=0.1, undecided=0.1, careless=0.2, lapses=0.03, seed=0)


def found(methods: tuple[str, ...], of: list[Item], **values: float) -> Findings:
    """The first method has what is named, all others nothing of it."""
    return {
        (name, item.id): {k: v * (name == methods[0]) for k, v in values.items()} for name in methods for item in of
    }


@pytest.mark.parametrize("design", DESIGNS)
def test_votes_are_the_table_that_the_app_exports(tmp_path: Path, design: str) -> None:
    """Also by way of its files; the seed alone decides."""
    own, of = study(design), items(6, parts=design == "mixture")
    seen = found(own.methods, of, content=1, action=1)
    table = simulate(own, of, seen, SHIPPED)
    pd.testing.assert_frame_equal(table, simulate(own, of, seen, SHIPPED))
    assert not table.equals(simulate(own, of, seen, SHIPPED.model_copy(update={"seed": 1})))
    checked = check(table)
    for suffix in export.SUFFIXES:
        export.write(table, tmp_path / f"votes{suffix}")
        pd.testing.assert_frame_equal(read([tmp_path / f"votes{suffix}"]), checked, check_dtype=False)
    assert checked.rater.nunique() == own.raters.expected
    for number, (_, rows) in enumerate(checked.groupby("rater", sort=False)):
        planned = trials(own, of, number)
        first = rows.drop_duplicates("trial")
        assert first.check.tolist() == [trial.check for trial in planned]
        assert first.shown.tolist() == ["|".join(trial.shown) for trial in planned]
        assert rows.voted.is_monotonic_increasing


def test_picks_are_a_multinomial_logit() -> None:
    """Utility 0.6 against 0 and 0: softmax of utility over noise; sides do not matter."""
    own = study("best_of", 3, raters={"expected": 150, "trials": 8}, checks={}, practice=0)
    of = items(8)
    votes = real(check(simulate(own, of, found(own.methods, of, quality=0.6), PLAIN)))
    expected = softmax(np.array([0.6, 0, 0]) / PLAIN.noise)
    shares = [float((votes.answer == name).mean()) for name in own.methods]
    assert shares == pytest.approx(expected, abs=0.04)  # three standard errors of 1,200 votes
    first = np.mean([answer == split(shown)[0] for answer, shown in zip(votes.answer, votes.shown, strict=True)])
    assert first == pytest.approx(1 / 3, abs=0.05)


def test_yes_is_logistic_in_what_the_judge_found() -> None:
    own = study("attributes", 2, raters={"expected": 150, "trials": 8}, checks={}, practice=0)
    of = items(8)
    votes = real(check(simulate(own, of, found(own.methods, of, content=1.0, action=0.5), PLAIN)))
    for method, question, utility in ((0, "content", 1.0), (0, "action", 0.5), (1, "content", 0.0)):
        rows = votes[(votes.shown == own.methods[method]) & (votes.question == question)]
        assert (rows.answer == "yes").mean() == pytest.approx(expit((utility - 0.5) / PLAIN.noise), abs=0.07)


def test_a_question_asks_about_its_own_findings() -> None:
    """Motion is action and smoothness: one method has all of them, and nothing of what consistency asks about."""
    own = study("pairwise", 2, raters={"expected": 40, "trials": 6}, checks={}, practice=0)
    of = items(6)
    votes = real(check(simulate(own, of, found(own.methods, of, action=1, smooth=1, not_weird=0), PLAIN)))
    picked = (votes.answer == own.methods[0]).groupby(votes.question).mean()
    assert picked["motion"] > 0.9
    assert 0.35 < picked["consistency"] < 0.65
    assert picked["motion"] > picked["quality"] > picked["consistency"]


@pytest.mark.parametrize("design", DESIGNS)
def test_careless_raters_are_found_and_others_are_not(design: str) -> None:
    """Four checks each; two of ten raters answer at random, in a fifth of the time. A random rating is low, or near
    another, about half the time, so that fewer are found."""
    own = study(design, 3, raters={"expected": 10, "trials": 8}, checks={"identical": 2, "obvious": 2})
    of = items(8, parts=design == "mixture")
    model = SHIPPED.model_copy(update={"lapses": 0.0})
    found_out = 0
    for seed in range(10):
        votes = check(simulate(own, of, found(own.methods, of, content=1), model.model_copy(update={"seed": seed})))
        raters = exclusion.raters(votes).set_index("rater")
        seconds = votes.drop_duplicates(["rater", "trial"]).groupby("rater").seconds.median()
        careless = set(seconds.nsmallest(2).index)
        assert set(raters[raters.excluded].index) <= careless
        found_out += int(raters.excluded.sum())
    assert found_out >= (3 if design == "rating" else 10)  # of 20


def test_attentive_raters_pass_checks() -> None:
    for design in DESIGNS:
        own, of = study(design), items(6, parts=design == "mixture")
        quiet = PLAIN.model_copy(update={"noise": 0.02})
        votes = check(simulate(own, of, found(own.methods, of, content=1), quiet))
        asked = votes[votes.check.isin([IDENTICAL, OBVIOUS])]
        assert len(asked) and asked.passed.all()


def test_undecided_raters_say_so() -> None:
    own, of = study("pairwise", checks={}, practice=0), items(6)
    unsure = PLAIN.model_copy(update={"undecided": 100.0})
    assert set(simulate(own, of, found(own.methods, of, content=1), unsure).answer) == {"tie"}
    forced = study("pairwise", checks={}, practice=0, ties=False)
    assert "tie" not in set(simulate(forced, of, found(own.methods, of, content=1), unsure).answer)
