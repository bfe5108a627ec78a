"""Votes are kept: once, whole, and in both kinds of database."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from pipeline.study import gathered, plan, tables
from pipeline.study.design import Study, StudyError
from pipeline.study.plan import Item, Trial
from pipeline.study.records import Outcome
from pipeline.study.store import Store
from tests.pipeline.study.small import items, study

STUDY = study("pairwise")
CONTENTS = {"ours/clip-000": "a1", "theirs/clip-000": "b2"}
ITEMS = items(6, parts=True)


def planned(number: int, of: Study = STUDY) -> list[tuple[Trial, list[str]]]:
    return [(trial, [f"{side}.mp4" for side in range(2)]) for trial in plan.trials(of, ITEMS, number)]


def answers(value: str) -> dict[str, str]:
    return dict.fromkeys(STUDY.asked, value)


class Clock:
    """Seconds that pass one by one, with every look."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """A study that was started."""
    made = Store(database, Clock())
    made.start(STUDY, CONTENTS, ITEMS)
    yield made
    made.close()


@pytest.fixture
def rater(store: Store) -> str:
    """A rater who agreed to take part."""
    (made,) = store.invite(1)
    store.begin(made, "AI", 3, planned)
    return made


def answer_all(store: Store, rater: str, value: str = "1") -> int:
    """Answer all trials; how many there were."""
    for number in itertools.count(1):
        if store.show(rater, number) is None:
            return number - 1
        assert store.vote(rater, number, answers(value), 0) is Outcome.KEPT
    raise AssertionError


def test_a_study_is_recorded_as_it_was_started(store: Store, database: str) -> None:
    recorded = Store(database).recorded()
    assert recorded.study == STUDY
    assert len(bytes.fromhex(recorded.key)) == 32
    assert recorded.ended is None
    assert store.start(STUDY, CONTENTS, ITEMS) == recorded
    with store.reading() as db:
        row = db.execute(sqlalchemy.select(tables.study)).one()
    assert (row.seed, row.contents) == ("7", CONTENTS)


def test_what_may_change_is_taken_over(store: Store) -> None:
    changed = study("pairwise", enrolment="open", raters={"expected": 9, "trials": 4})
    assert store.start(changed, CONTENTS, ITEMS).study == changed


@pytest.mark.parametrize(
    ("changes", "contents", "said"),
    [
        ({"seed": 8}, CONTENTS, "seed was 7, is 8."),
        (
            {"questions": {"motion": "Which?"}},
            CONTENTS,
            "questions.motion was 'In which video is the motion more natural?'",
        ),
        ({"background": {}}, CONTENTS, "background.professions was ['AI', 'Art'], is []; background.years was True"),
        ({}, CONTENTS | {"ours/clip-000": "c3"}, "clips.ours/clip-000 was 'a1', is 'c3'."),
        ({}, {"ours/clip-000": "a1"}, "clips.theirs/clip-000 was 'b2', is nothing."),
    ],
)
def test_another_study_is_refused_with_what_differs(
    store: Store, changes: dict[str, Any], contents: dict[str, str], said: str
) -> None:
    with pytest.raises(StudyError) as error:
        store.start(study("pairwise", **changes), contents, ITEMS)
    assert "the study 'small-pairwise' was started otherwise: " in str(error.value)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ([replace(ITEMS[0], caption="Another."), *ITEMS[1:]], "clip-000-s0.caption was 'A thing of kind 0 moves.', is"),
        ([replace(ITEMS[0], prompt="p"), *ITEMS[1:]], "clip-000-s0.prompt was 'set/clip-000', is 'p'."),
        (
            [replace(ITEMS[0], parts=("a", "b")), *ITEMS[1:]],
            "clip-000-s0.parts was ['A red circle.', ",
        ),
        (ITEMS[:5], "clip-005-s0 was "),
        (
            [*ITEMS[:3], ITEMS[4], ITEMS[3], ITEMS[5]],
            "the order of clips changed: number 4 was clip-003-s0, is",
        ),
    ],
)
def test_items_that_changed_are_refused_with_what_changed(store: Store, now: list[Item], said: str) -> None:
    with pytest.raises(StudyError) as error:
        store.start(STUDY, CONTENTS, now)
    assert f"the study 'small-pairwise' was started otherwise: {said}" in str(error.value)


def test_a_database_without_a_study_says_so(database: str) -> None:
    with pytest.raises(StudyError, match="was not started yet"):
        Store(database).recorded()


def test_links_are_secret_and_ids_are_not_numbered(store: Store) -> None:
    invited = store.invite(20)
    assert len(set(invited)) == len(set(invited.values())) == 20
    assert all(len(link) >= 43 for link in invited.values())
    assert all(len(rater) == 14 and rater.startswith("r-") for rater in invited)
    with store.reading() as db:
        kept = str(db.execute(sqlalchemy.select(tables.rater)).all())
    assert not [link for link in invited.values() if link in kept]
    assert store.person("no such link") is None


def test_a_rater_begins_once_and_gets_the_lowest_free_number(store: Store) -> None:
    first, second, third = store.invite(3)
    for one in (first, second, second):
        store.begin(one, None, None, planned)
    assert store.delete(first)
    store.begin(third, None, None, planned)
    with store.reading() as db:
        rows = db.execute(sqlalchemy.select(tables.rater.c.id, tables.rater.c.number)).tuples()
        assert dict(rows.all()) == {second: 1, third: 0}
    assert [page.trial for page in (store.show(third, 1), store.show(third, 7)) if page] == [
        planned(0)[0][0],
        planned(0)[6][0],
    ]


def test_clips_have_ids_of_their_own_for_each_rater_and_trial(store: Store) -> None:
    raters = store.invite(3)
    for one in raters:
        store.begin(one, None, None, planned)
    ids = [clip for one in raters for number in range(1, 8) for clip in store.show(one, number).clips]
    assert len(set(ids)) == len(ids) == 3 * 7 * 2
    assert store.file(ids[0]) == "0.mp4" and store.file(ids[1]) == "1.mp4"
    assert store.file("A" * 22) is None


def test_votes_are_told_by_trial(store: Store, rater: str) -> None:
    assert answer_all(store, rater) == 7
    ((who, answered),) = gathered.answered(store)
    assert (who.id, who.profession, who.years) == (rater, "AI", 3)
    assert [one.trial for one in answered] == [trial for trial, _ in planned(0)]
    assert [one.answers for one in answered] == [answers("1")] * 7
    assert {one.seconds for one in answered} == {1.0}  # of a clock that moves on with every look


def test_the_same_answers_again_change_nothing(store: Store, rater: str) -> None:
    for _ in range(3):
        assert store.vote(rater, 1, answers("1"), 0) is Outcome.KEPT
    assert store.show(rater, 1).revision == 1
    answer_rest = [store.vote(rater, number, answers("2"), 0) for number in (2, 3, 4)]
    assert answer_rest == [Outcome.KEPT] * 3
    before = gathered.votes_of(store)
    assert store.vote(rater, 1, answers("1"), 0) is Outcome.KEPT  # a request that arrives late
    assert gathered.votes_of(store).equals(before)


def test_one_trial_back_may_be_corrected(store: Store, rater: str) -> None:
    for number in (1, 2):
        store.vote(rater, number, answers("1"), 0)
    assert store.vote(rater, 1, answers("2"), 1) is Outcome.CLOSED
    assert store.vote(rater, 2, answers("2"), 1) is Outcome.KEPT
    assert store.vote(rater, 2, answers("tie"), 2) is Outcome.KEPT
    assert [store.show(rater, number).answers for number in (1, 2)] == [answers("1"), answers("tie")]


def test_a_correction_keeps_the_time_that_the_answer_took(store: Store, rater: str) -> None:
    store.show(rater, 1)
    store.vote(rater, 1, answers("1"), 0)
    before = gathered.answered(store)[0][1][0]
    store.vote(rater, 1, answers("2"), 1)
    after = gathered.answered(store)[0][1][0]
    assert after.seconds == before.seconds
    assert after.voted > before.voted


def test_another_window_does_not_write_over_an_answer(store: Store, rater: str) -> None:
    assert store.vote(rater, 1, answers("1"), 0) is Outcome.KEPT
    assert store.vote(rater, 1, answers("2"), 0) is Outcome.ANOTHER
    assert store.show(rater, 1).answers == answers("1")


def test_no_trial_is_answered_before_its_turn(store: Store, rater: str) -> None:
    assert store.vote(rater, 2, answers("1"), 0) is Outcome.CLOSED
    assert store.vote(rater, 99, answers("1"), 0) is Outcome.CLOSED
    assert store.vote("r-nobody", 1, answers("1"), 0) is Outcome.CLOSED
    assert gathered.votes_of(store).empty


def test_nothing_changes_after_the_rater_is_done(store: Store, rater: str) -> None:
    assert not store.finish(rater)
    answer_all(store, rater)
    assert store.vote(rater, 7, answers("2"), 1) is Outcome.KEPT
    assert store.finish(rater) and store.finish(rater)
    assert store.vote(rater, 7, answers("1"), 2) is Outcome.DONE
    assert store.show(rater, 7).answers == answers("2")


def test_nothing_is_taken_after_the_end(store: Store, rater: str) -> None:
    store.vote(rater, 1, answers("1"), 0)
    store.end()
    ended = store.recorded().ended
    assert store.vote(rater, 2, answers("1"), 0) is Outcome.ENDED
    assert store.vote(rater, 1, answers("2"), 1) is Outcome.ENDED
    assert store.vote(rater, 1, answers("1"), 0) is Outcome.KEPT  # it is
    store.end()
    assert store.recorded().ended == ended


def test_a_rater_is_deleted_whole(store: Store, rater: str) -> None:
    other = next(iter(store.invite(1)))
    store.begin(other, None, None, planned)
    for one in (rater, other):
        answer_all(store, one)
    clip = store.show(rater, 1).clips[0]
    assert store.delete(rater)
    assert not store.delete(rater)
    assert store.file(clip) is None
    assert set(gathered.votes_of(store).rater) == {other}
    with store.reading() as db:
        for table in (tables.rater, tables.trial, tables.clip, tables.vote):
            rows = db.execute(sqlalchemy.select(table)).all()
            assert rows and rater not in str(rows)


def test_nothing_of_a_deleted_rater_stays_in_the_file(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'votes.db'}")
    store.start(STUDY, CONTENTS, ITEMS)
    (rater,) = store.invite(1)
    store.begin(rater, "a lighthouse keeper", 61, planned)
    answer_all(store, rater)
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert rater.encode() in written and b"a lighthouse keeper" in written
    store.delete(rater)
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert rater.encode() not in left and b"a lighthouse keeper" not in left


def test_windows_at_once_make_one_vote(store: Store, rater: str) -> None:
    """Sixteen windows send two different answers to the same trial: one wins, all others see it."""
    with ThreadPoolExecutor(16) as windows:
        sent = [("1", "2")[place % 2] for place in range(16)]
        outcomes = list(windows.map(lambda value: store.vote(rater, 1, answers(value), 0), sent))
    kept = next(iter(set(store.show(rater, 1).answers.values())))
    assert store.show(rater, 1).answers == answers(kept)
    assert all((outcome is Outcome.KEPT) == (value == kept) for outcome, value in zip(outcomes, sent, strict=True))
    assert store.show(rater, 1).revision == 1
    assert len(gathered.votes_of(store)) == len(STUDY.asked)


def test_raters_at_once_get_different_numbers(store: Store) -> None:
    raters = list(store.invite(12))
    with ThreadPoolExecutor(12) as many:
        list(many.map(lambda one: store.begin(one, None, None, planned), raters + raters))
    with store.reading() as db:
        numbers = db.execute(sqlalchemy.select(tables.rater.c.number)).scalars().all()
    assert sorted(numbers) == list(range(12))


def test_first_starts_at_once_record_one_study(database: str) -> None:
    """Eight organisers start the same study on an empty database; all see the same key."""
    with ThreadPoolExecutor(8) as many:
        stores = list(many.map(lambda _: Store(database), range(8)))
        keys = {recorded.key for recorded in many.map(lambda one: one.start(STUDY, CONTENTS, ITEMS), stores)}
    assert len(keys) == 1
    for one in stores:
        one.close()


def test_what_is_read_is_of_one_moment(store: Store, rater: str) -> None:
    with store.reading() as db:
        before = db.execute(sqlalchemy.select(tables.vote)).all()
        store.vote(rater, 1, answers("1"), 0)
        assert db.execute(sqlalchemy.select(tables.vote)).all() == before == []
    assert len(gathered.votes_of(store)) == len(STUDY.asked)


def test_an_error_of_the_database_tells_no_values(store: Store, rater: str) -> None:
    store.vote(rater, 1, answers("1"), 0)
    values = {"rater": rater, "trial": 1, "question": "motion", "answer": "a secret", "seconds": 1.0, "voted": 1.0}
    with pytest.raises(sqlalchemy.exc.IntegrityError) as error, store._writing() as db:
        db.execute(sqlalchemy.insert(tables.vote).values(**values))
    assert "a secret" not in str(error.value)


def test_the_database_itself_refuses_a_second_vote(store: Store, rater: str) -> None:
    store.vote(rater, 1, answers("1"), 0)
    values = {"rater": rater, "trial": 1, "question": "motion", "answer": "2", "seconds": 1.0, "voted": 1.0}
    with pytest.raises(sqlalchemy.exc.IntegrityError), store._writing() as db:
        db.execute(sqlalchemy.insert(tables.vote).values(**values))


def test_progress_counts_trials(store: Store, rater: str) -> None:
    idle = next(iter(store.invite(1)))
    for number in (1, 2, 3):
        store.show(rater, number)
        store.vote(rater, number, answers("1"), 0)
    first, second = gathered.progress(store)
    assert (first.rater, first.answered, first.trials, first.complete, first.median) == (rater, 3, 7, False, 1.0)
    assert (second.rater, second.agreed, second.answered, second.trials, second.median) == (idle, None, 0, 0, None)
    assert gathered.seconds_per_trial([first, second]) == 1.0
    answer_rest = [store.vote(rater, number, answers("1"), 0) for number in range(4, 8)]
    assert answer_rest and gathered.progress(store)[0].complete


def test_sqlite_waits_for_the_disk(tmp_path: Path) -> None:
    engine = tables.engine(f"sqlite:///{tmp_path / 'votes.db'}")
    with engine.connect() as db:
        said = {name: db.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")}
        assert said == {"journal_mode": "wal", "synchronous": 2}  # FULL
        assert db.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://host/x", "found 'mysql', expected sqlite or postgresql"),
        ("sqlite://", "found 'sqlite://', expected the name of a file as in sqlite:///votes.db"),
        ("sqlite:///:memory:", "expected the name of a file"),
        ("votes.db", "expected a URL such as sqlite:///votes.db"),
        ("oracel://x", "expected"),
        ("sqlite:////no/such/folder/votes.db", "the database cannot be opened: unable to open database file"),
        ("postgresql://127.0.0.1:1/x", "the database cannot be opened: connection failed"),
    ],
)
def test_a_database_that_cannot_be_used_is_named(url: str, said: str) -> None:
    with pytest.raises(StudyError) as error:
        Store(url)
    assert said in str(error.value)
