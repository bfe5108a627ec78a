"""What the store of a study hands out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from statistics import median

from pipeline.study.design import Study
from pipeline.study.plan import Trial


class Outcome(Enum):
    """What became of the answers to a trial. KEPT: they are stored; all others mean that they are not. ANOTHER: other
    answers came in between, from another window. CLOSED: it is not this trial's turn any more, or not yet. DONE: the
    rater has said that there is nothing to add. ENDED: the study has ended."""

    KEPT = "kept"
    ANOTHER = "another"
    CLOSED = "closed"
    DONE = "done"
    ENDED = "ended"


@dataclass(frozen=True)
class Recorded:
    """A study that was started. key: what its tokens are made with. started, ended: UTC."""

    study: Study
    key: str
    started: datetime
    ended: datetime | None


@dataclass(frozen=True)
class Person:
    """A rater as pages need it. current: number of the first trial without an answer, one more than `trials` after
    the last; 0 before the rater agreed to take part."""

    id: str
    agreed: bool
    current: int
    trials: int
    finished: bool


@dataclass(frozen=True)
class Page:
    """A trial as its page needs it: the random ids of its clips, the answers so far, and how often they were given."""

    trial: Trial
    clips: tuple[str, ...]
    answers: Mapping[str, str]
    revision: int


@dataclass(frozen=True)
class Progress:
    """How far a rater is. seconds: of each trial that has answers."""

    rater: str
    agreed: datetime | None
    answered: int
    trials: int
    seconds: tuple[float, ...]

    @property
    def complete(self) -> bool:
        """Whether every trial has an answer."""
        return 0 < self.trials == self.answered

    @property
    def median(self) -> float | None:
        """Seconds of a trial; None before the first answer."""
        return median(self.seconds) if self.seconds else None
