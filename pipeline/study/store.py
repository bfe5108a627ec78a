"""What is kept of a study: its design, its raters, their trials and votes, in transactions that are on the disk before
they return."""

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, text, update

from pipeline.study import tables
from pipeline.study.design import Study, StudyError
from pipeline.study.differences import differences, reordered
from pipeline.study.plan import Item, Trial
from pipeline.study.records import Outcome, Page, Person, Recorded
from pipeline.study.rows import items_of, row_of, trial_of, utc

Plan = Callable[[int], Sequence[tuple[Trial, Sequence[str]]]]  # number of a rater -> trials and their files


class Store:
    """The database of one study.

    Raises:
        StudyError: if its URL cannot be used.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        self._engine, self._clock = tables.engine(url), clock

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that reads, and sees the database as it was at its beginning (as SQLite's always do)."""
        with self._engine.connect() as db:
            if db.dialect.name == "postgresql":
                db = db.execution_options(isolation_level="REPEATABLE READ")
            with db.begin():
                yield db

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._engine.connect().execution_options(**{tables.WRITES: True}) as db, db.begin():
            yield db

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    # The study

    def start(self, study: Study, contents: Mapping[str, str], items: Sequence[Item]) -> Recorded:
        """Record a study, or find that this one was recorded before.

        Args:
            contents: a digest of each clip by its name. items: what is asked about, in order.

        Raises:
            StudyError: saying what differs from the study that was recorded.
        """
        values = {"id": 1, "design": study.model_dump(mode="json"), "seed": str(study.seed)}
        values |= {"contents": dict(contents), "items": items_of(items)}
        with self._writing() as db:
            tables.one_at_a_time(db)
            row = db.execute(select(tables.study).with_for_update()).one_or_none()
            if row is None:
                db.execute(insert(tables.study).values(**values, key=secrets.token_hex(32), started=self._clock()))
            else:
                _check_unchanged(row, study, contents, values["items"])
                db.execute(update(tables.study).values(design=values["design"]))
        return self.recorded()

    def recorded(self) -> Recorded:
        """The study of this database.

        Raises:
            StudyError: if none was started.
        """
        with self.reading() as db:
            row = db.execute(select(tables.study)).one_or_none()
        if row is None:
            raise StudyError("the study was not started yet: `reelbench study serve` or `invite` starts it")
        return Recorded(Study.model_validate(row.design), row.key, utc(row.started), utc(row.ended))

    def end(self) -> None:
        """End the study; no vote is taken from now on."""
        with self._writing() as db:
            db.execute(update(tables.study).where(tables.study.c.ended.is_(None)).values(ended=self._clock()))

    # Raters

    def invite(self, count: int) -> dict[str, str]:
        """Make raters: the secret part of each one's link, by the rater's id."""
        tokens = [secrets.token_urlsafe(32) for _ in range(count)]
        return {self.join(token): token for token in tokens}

    def join(self, token: str) -> str:
        """The id of the rater with this link, who is made if there is none."""
        with self._writing() as db:
            db.execute(select(tables.study.c.id).with_for_update())
            found = db.execute(select(tables.rater.c.id).where(tables.rater.c.link == _digest(token))).scalar()
            if found is None:
                found = f"r-{secrets.token_hex(6)}"
                db.execute(insert(tables.rater).values(id=found, link=_digest(token), made=self._clock()))
        return found

    def person(self, token: str) -> Person | None:
        """The rater with this link."""
        rater, trial = tables.rater.c, tables.trial.c
        with self.reading() as db:
            row = db.execute(select(tables.rater).where(rater.link == _digest(token))).one_or_none()
            if row is None:
                return None
            count = db.execute(select(func.count()).where(trial.rater == row.id)).scalar_one()
            current = _current(db, row.id)
        return Person(row.id, row.agreed is not None, current if count else 0, count, row.finished is not None)

    def begin(self, rater: str, profession: str | None, years: int | None, plan: Plan) -> None:
        """A rater agrees to take part, and gets the lowest free number and its trials. Again: nothing happens."""
        with self._writing() as db:
            db.execute(select(tables.study.c.id).with_for_update())
            mine = tables.rater.c.id == rater
            if db.execute(select(tables.rater.c.agreed).where(mine)).scalar_one_or_none() is not None:
                return
            taken = set(db.execute(select(tables.rater.c.number)).scalars())
            number = next(i for i in range(len(taken) + 1) if i not in taken)
            values = {"number": number, "profession": profession, "years": years, "agreed": self._clock()}
            if db.execute(update(tables.rater).where(mine).values(**values)).rowcount:
                _insert_trials(db, rater, plan(number))

    def delete(self, rater: str) -> bool:
        """Delete a rater and all that is known of them; False if there is none."""
        with self._writing() as db:
            gone = db.execute(delete(tables.rater).where(tables.rater.c.id == rater)).rowcount
        if self._engine.dialect.name == "sqlite":  # else the log keeps a copy until it is written over
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
                db.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        return bool(gone)

    # Trials

    def show(self, rater: str, number: int) -> Page | None:
        """A trial for its page; the time begins with the first call."""
        mine = (tables.trial.c.rater == rater) & (tables.trial.c.number == number)
        with self._writing() as db:
            fresh = mine & tables.trial.c.shown.is_(None)
            db.execute(update(tables.trial).where(fresh).values(shown=self._clock()))
            row = db.execute(select(tables.trial).where(mine)).one_or_none()
            if row is None:
                return None
            sides = (tables.clip.c.rater == rater) & (tables.clip.c.trial == number)
            clips = db.execute(select(tables.clip.c.id).where(sides).order_by(tables.clip.c.side)).scalars()
            return Page(trial_of(row), tuple(clips), _answers(db, rater, number), row.revision)

    def vote(self, rater: str, number: int, answers: Mapping[str, str], revision: int) -> Outcome:
        """Store the answers to a trial: of the first one without answers, or again of the one before, until the end.

        The same answers again change nothing, so that a request may be repeated.

        Args:
            answers: to all questions. revision: how often the trial's answers had been given when its page was made.
        """
        mine = (tables.trial.c.rater == rater) & (tables.trial.c.number == number)
        with self._writing() as db:
            row = db.execute(select(tables.trial).where(mine).with_for_update()).one_or_none()
            if row is None:
                return Outcome.CLOSED
            before = _answers(db, rater, number)
            if before == dict(answers):
                return Outcome.KEPT
            if refused := _refused(db, row, revision):
                return refused
            db.execute(update(tables.trial).where(mine).values(revision=revision + 1))
            self._write(db, row, answers)
            return Outcome.KEPT

    def _write(self, db: Connection, row: Row[Any], answers: Mapping[str, str]) -> None:
        now, vote = self._clock(), tables.vote
        for question, answer in answers.items():
            key = {"rater": row.rater, "trial": row.number, "question": question}
            mine = (vote.c.rater == row.rater) & (vote.c.trial == row.number) & (vote.c.question == question)
            if not db.execute(update(vote).where(mine).values(answer=answer, voted=now)).rowcount:
                db.execute(insert(vote).values(**key, answer=answer, voted=now, seconds=now - (row.shown or now)))

    def finish(self, rater: str) -> bool:
        """Close a rater's answers; False while there are trials without."""
        with self._writing() as db:
            if _current(db, rater) <= _last(db, rater):
                return False
            mine = (tables.rater.c.id == rater) & tables.rater.c.finished.is_(None)
            db.execute(update(tables.rater).where(mine).values(finished=self._clock()))
            return True

    def file(self, clip: str) -> str | None:
        """The file behind the random id of a clip."""
        with self.reading() as db:
            return db.execute(select(tables.clip.c.file).where(tables.clip.c.id == clip)).scalar_one_or_none()


def _check_unchanged(
    row: Row[Any], study: Study, contents: Mapping[str, str], items: Sequence[Mapping[str, Any]]
) -> None:
    design = Study.model_validate(row.design)
    before, now = ({item["id"]: item for item in found} for found in (row.items, items))
    found = differences(design.fixed, study.fixed) + differences({"clips": row.contents}, {"clips": contents})
    found += differences(before, now) + reordered(list(before), list(now))
    if found:
        raise StudyError(
            f"the study {design.name!r} was started otherwise: {'; '.join(found)}. Put it back, or give the new "
            "study a database of its own"
        )


def _insert_trials(db: Connection, rater: str, planned: Sequence[tuple[Trial, Sequence[str]]]) -> None:
    places = [
        {"id": secrets.token_urlsafe(16), "rater": rater, "trial": trial.number, "side": side, "file": file}
        for trial, files in planned
        for side, file in enumerate(files)
    ]
    db.execute(insert(tables.trial), [row_of(rater, trial) for trial, _ in planned])
    db.execute(insert(tables.clip), places)


def _answers(db: Connection, rater: str, number: int) -> dict[str, str]:
    mine = (tables.vote.c.rater == rater) & (tables.vote.c.trial == number)
    return dict(db.execute(select(tables.vote.c.question, tables.vote.c.answer).where(mine)).tuples().all())


def _last(db: Connection, rater: str) -> int:
    return db.execute(select(func.max(tables.trial.c.number)).where(tables.trial.c.rater == rater)).scalar() or 0


def _current(db: Connection, rater: str) -> int:
    """The first trial without answers, one more than the last if there is none."""
    waiting = (tables.trial.c.rater == rater) & (tables.trial.c.revision == 0)
    return db.execute(select(func.min(tables.trial.c.number)).where(waiting)).scalar() or _last(db, rater) + 1


def _refused(db: Connection, trial: Row[Any], revision: int) -> Outcome | None:
    """Why answers to a trial that differ from those that are stored are not taken; None if they are."""
    if db.execute(select(tables.study.c.ended)).scalar_one() is not None:
        return Outcome.ENDED
    if db.execute(select(tables.rater.c.finished).where(tables.rater.c.id == trial.rater)).scalar_one() is not None:
        return Outcome.DONE
    if _current(db, trial.rater) - trial.number not in (0, 1):
        return Outcome.CLOSED
    return Outcome.ANOTHER if revision != trial.revision else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
