"""The deal is fair: counted over raters, within each rater, and on every side."""

from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.study.design import BROKEN, Study, StudyError
from pipeline.study.plan import IDENTICAL, OBVIOUS, PRACTICE, REAL, Trial, trials
from tests.pipeline.study.small import items, study

DESIGNS = ("best_of", "pairwise", "attributes", "mixture", "rating")


@st.composite
def dealings(draw: st.DrawFn) -> tuple[Study, int, int]:
    """A study, how many items it has, and how many raters come."""
    design = draw(st.sampled_from(DESIGNS))
    methods = draw(st.integers(2, 4))
    count = draw(st.integers(1, 12))
    contrasts = {"best_of": 1, "pairwise": methods * (methods - 1) // 2}.get(design, methods)
    length = draw(st.integers(1, count * contrasts))
    wanted = {"raters": {"expected": 1, "trials": length}, "checks": {}, "seed": draw(st.integers(0, 2**40))}
    return study(design, methods, **wanted), count, draw(st.integers(1, 60))


def real(of: Study, count: int, rater: int) -> list[Trial]:
    return [trial for trial in trials(of, items(count), rater) if trial.check == REAL]


def spread(counts: Counter, keys: list) -> int:
    """The most minus the least, of keys that may not have been counted."""
    return max(counts[key] for key in keys) - min(counts[key] for key in keys)


@given(dealings())
def test_after_any_number_of_raters_everything_was_shown_equally_often(dealing: tuple[Study, int, int]) -> None:
    of, count, raters = dealing
    cards = [(item.id, frozenset(contrast)) for item in items(count) for contrast in of.contrasts]
    shown: Counter = Counter()
    for rater in range(raters):
        own = [(trial.item.id, frozenset(trial.shown)) for trial in real(of, count, rater)]
        assert len(own) == len(set(own)) == of.raters.trials  # nobody is asked the same twice
        shown.update(own)
        assert spread(shown, cards) <= 1


@given(dealings())
def test_every_rater_has_a_balanced_share(dealing: tuple[Study, int, int]) -> None:
    of, count, rater = dealing
    own = real(of, count, rater)
    assert spread(Counter(frozenset(trial.shown) for trial in own), [frozenset(c) for c in of.contrasts]) <= 1
    seen = Counter(trial.item.id for trial in own)
    if of.raters.trials <= count:
        assert max(seen.values()) == 1
    else:
        assert spread(seen, [item.id for item in items(count)]) <= 2


@given(dealings())
def test_every_method_stands_on_every_side_equally_often(dealing: tuple[Study, int, int]) -> None:
    of, count, raters = dealing
    sides: dict[tuple[str, frozenset[str]], Counter] = {}
    for rater in range(raters):
        for trial in real(of, count, rater):
            counter = sides.setdefault((trial.item.id, frozenset(trial.shown)), Counter())
            counter.update(enumerate(trial.shown))
    for (_, contrast), counter in sides.items():
        assert spread(counter, [(side, method) for side in range(of.sides) for method in contrast]) <= 1


@given(
    st.sampled_from([("best_of", 2), ("best_of", 3), ("best_of", 4), ("pairwise", 2), ("pairwise", 3)]),
    st.integers(24, 40),
    st.integers(0, 60),
    st.data(),
)
def test_within_a_rater_sides_are_balanced_too(
    kind: tuple[str, int], count: int, rater: int, data: st.DataObject
) -> None:
    """Of each contrast, blocks of as many trials as sides are balanced exactly. A run of the deal cuts two of them, and
    two more where it goes round: as long a run of sides by chance would differ by more."""
    length = data.draw(st.integers(count // 2, count))
    of = study(*kind, raters={"expected": 1, "trials": length}, checks={})
    for contrast in of.contrasts:
        own = Counter(p for t in real(of, count, rater) if set(t.shown) == set(contrast) for p in enumerate(t.shown))
        assert spread(own, [(side, method) for side in range(of.sides) for method in contrast]) <= 4


def test_whoever_sees_all_sees_each_side_equally_often() -> None:
    of = study("best_of", 4, raters={"expected": 3, "trials": 20})
    for rater in range(8):
        counted = Counter(place for trial in real(of, 20, rater) for place in enumerate(trial.shown))
        assert set(counted.values()) == {5} and len(counted) == 16


@given(dealings())
def test_the_seed_and_the_number_decide(dealing: tuple[Study, int, int]) -> None:
    of, count, rater = dealing
    assert trials(of, items(count), rater) == trials(of, items(count), rater)


def test_raters_and_seeds_differ() -> None:
    of = study("pairwise", 3, raters={"expected": 3, "trials": 15})
    other = of.model_copy(update={"seed": 8})
    plans = [trials(of, items(20), 0), trials(of, items(20), 1), trials(other, items(20), 0)]
    orders = {tuple((trial.item.id, trial.shown) for trial in plan) for plan in plans}
    assert len(orders) == 3


def test_orders_are_not_all_rotations_of_one() -> None:
    of = study("best_of", 4, raters={"expected": 3, "trials": 24})
    assert len({trial.shown for trial in real(of, 24, 0)}) > 8


@given(st.sampled_from(DESIGNS), st.integers(0, 200), st.integers(2, 12), st.integers(0, 3), st.integers(0, 3))
def test_practice_and_checks_are_where_they_belong(
    design: str, rater: int, length: int, identical: int, obvious: int
) -> None:
    assume(identical + obvious <= length)
    checks = {"identical": identical, "obvious": obvious}
    of = study(design, 3, raters={"expected": 1, "trials": length}, practice=2, checks=checks)
    plan = trials(of, items(14), rater)
    assert [trial.number for trial in plan] == list(range(1, len(plan) + 1))
    assert Counter(trial.check for trial in plan) == Counter(
        {REAL: length, PRACTICE: 2, IDENTICAL: identical, OBVIOUS: obvious}
    )
    assert [trial.check for trial in plan[:3]] == [PRACTICE, PRACTICE, REAL]
    for trial in plan:
        assert len(trial.shown) == of.sides
        is_as_its_check_says(of, plan, trial)


def is_as_its_check_says(of: Study, plan: list[Trial], trial: Trial) -> None:
    sided = of.sides > 1
    if trial.check == OBVIOUS:
        assert trial.shown.count(BROKEN) == (of.sides - 1 if sided else 1)
    else:
        assert BROKEN not in trial.shown
    if trial.check == IDENTICAL and sided:
        assert len(set(trial.shown)) == 1
    elif trial.check == IDENTICAL:
        before = plan[trial.repeats - 1]
        assert before.number < trial.number and before.check == REAL
        assert (before.item, before.shown) == (trial.item, trial.shown)
    else:
        assert trial.repeats is None


@given(st.sampled_from(["attributes", "rating"]), st.integers(0, 200), st.integers(2, 12), st.integers(1, 3))
def test_a_clip_does_not_come_twice_in_a_row(design: str, rater: int, length: int, identical: int) -> None:
    assume(identical <= length)
    checks = {"identical": identical, "obvious": 0}
    of = study(design, 3, raters={"expected": 1, "trials": length}, practice=0, checks=checks)
    plan = trials(of, items(14), rater)
    for again in (trial for trial in plan if trial.check == IDENTICAL):
        between = plan[again.repeats : again.number - 1]
        assert any(trial.check == REAL for trial in between)


def test_checks_take_prompts_that_the_rater_does_not_judge() -> None:
    of = study("pairwise", 2, raters={"expected": 1, "trials": 6}, practice=2)
    for rater in range(20):
        plan = trials(of, items(12), rater)
        judged = {trial.item.id for trial in plan if trial.check == REAL}
        assert not judged & {trial.item.id for trial in plan if trial.check != REAL}


def test_more_trials_than_there_is_to_ask_are_refused() -> None:
    of = study("attributes", 3, raters={"expected": 1, "trials": 13})
    with pytest.raises(StudyError, match=r"raters\.trials is 13, expected at most 12: 4 prompts, each under 3 choices"):
        trials(of, items(4), 0)


def test_places_in_the_sequence_are_random() -> None:
    """The first real trial of 60 raters is of every prompt and contrast now and then, not always the deal's first."""
    of = study("pairwise", 2, raters={"expected": 1, "trials": 6})
    firsts = Counter(real(of, 6, rater)[0].item.id for rater in range(60))
    assert len(firsts) == 6 and max(firsts.values()) < 30
