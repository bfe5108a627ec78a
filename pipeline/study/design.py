"""A study as its YAML file says it: read and checked in full before it starts."""

import re
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, model_validator

from metrics.user_study.votes import TIE
from pipeline.config import params
from pipeline.config.section import Count, Positive, Section, Switch, explain, subset
from pipeline.study.questions import DEFAULTS, FIXED, SIDE_BY_SIDE, Design, answers

BROKEN = "broken"  # stands for a method where a check shows a clip that was broken on purpose
LARGEST = 9  # as many sides as there are number keys
MOST_QUESTIONS = 30  # of a trial; the app takes a form of so many answers

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class StudyError(ValueError):
    """A study that cannot be run as it is; the message names file and key, what was found and what was expected."""


class Folder(Section):
    """Videos of any origin: their folder, the file of their captions (csv, json, jsonl by file stem), and the frames/s
    of those that carry none (frames and arrays)."""

    clips: str
    captions: str
    fps: Positive = 8


class Clips(Section):
    """Whose clips take part: `methods` of the run's ledgers, `folders` by the name of their method. Clips of one name
    are of one prompt. `prompts`: the first so many that every method has; null: all. `parts`: csv of clip, a, b, what a
    mixture's clips mix; null: the run's table, of which mixtures of two parts take part."""

    methods: tuple[str, ...] = ()
    folders: dict[str, Folder] = Field(default_factory=dict)
    prompts: Positive | None = None
    parts: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All methods of the study."""
        return (*self.methods, *self.folders)


class Pairs(Section):
    """One method against each of some others."""

    candidate: str
    against: Annotated[tuple[str, ...], Field(min_length=1)]


def _all_is_none(pairs: Any) -> Any:
    if isinstance(pairs, str) and pairs != "all":
        raise ValueError(f"found {pairs!r}, expected all, or a candidate and whom it is against")
    return None if pairs == "all" else pairs


class Raters(Section):
    """`expected`: how many the study waits for. `trials`: of each, without practice and checks."""

    expected: Positive
    trials: Positive


class Checks(Section):
    """Trials of each rater that show who looks: the same clip on all sides (or twice), and a broken one."""

    identical: Count = 0
    obvious: Count = 0


class Background(Section):
    """What is asked about a rater: a profession of a list (empty: not asked), and years of experience."""

    professions: tuple[Text, ...] = ()
    years: Switch = False


class Study(Section):
    """A study. `pairs`: of `pairwise` alone; null or "all": every pair. `ties`: whether "cannot tell" is an answer, of
    `best_of` and `pairwise`. `questions`: by their keys; those of `questions.DEFAULTS` if there are none. `seed`: of
    all that is random. Methods are shown without their names, in random order."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")]
    title: Text
    design: Design
    clips: Clips
    pairs: Annotated[Pairs | None, BeforeValidator(_all_is_none)] = None
    ties: Switch = False
    questions: dict[str, Text] = Field(default_factory=dict)
    raters: Raters
    practice: Count = 0
    checks: Checks = Checks()
    consent: Text
    background: Background = Background()
    enrolment: Literal["invited", "open"] = "invited"
    seed: Count

    @property
    def methods(self) -> tuple[str, ...]:
        """All methods of the study."""
        return self.clips.names

    @property
    def asked(self) -> dict[str, str]:
        """The questions of a trial, by their keys, in the order in which they are asked."""
        return self.questions or DEFAULTS[self.design]

    @property
    def contrasts(self) -> list[tuple[str, ...]]:
        """The methods that a trial shows together: all, each pair that is compared, or one alone."""
        if self.design == "best_of":
            return [self.methods]
        if self.design != "pairwise":
            return [(method,) for method in self.methods]
        if self.pairs is not None:
            return [(self.pairs.candidate, other) for other in self.pairs.against]
        return list(combinations(self.methods, 2))

    @property
    def sides(self) -> int:
        """How many clips a trial shows side by side."""
        return len(self.contrasts[0])

    @property
    def answers(self) -> tuple[str, ...]:
        """What may be answered to each question, see `questions.answers`."""
        return answers(self.design, self.sides, self.ties)

    @property
    def paragraphs(self) -> list[str]:
        """The text of the consent; lines of the file are joined, empty ones part."""
        return [" ".join(part.split()) for part in re.split(r"\n\s*\n", self.consent)]

    @property
    def fixed(self) -> dict[str, Any]:
        """What must not change while the study runs, or two studies would be mixed in one table: all but how many
        raters are expected and who may join."""
        kept = self.model_dump(mode="json", exclude={"enrolment": True, "raters": {"expected"}})
        return kept | {"questions": self.asked}

    @model_validator(mode="after")
    def _methods_are_enough(self) -> "Study":
        names, least = self.methods, 2 if self.design in SIDE_BY_SIDE else 1
        for name in names:
            if not re.fullmatch(r"\w[\w.-]*", name) or name in (BROKEN, TIE):
                raise ValueError(
                    f"clips names a method {name!r}, expected letters, digits and any of _ - . ({BROKEN!r} and {TIE!r} "
                    "are taken)"
                )
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"clips names {', '.join(doubled)} twice, expected each method once")
        if len(names) < least or (self.design == "best_of" and len(names) > LARGEST):
            wanted = f"{least} to {LARGEST}" if self.design == "best_of" else f"at least {least}"
            raise ValueError(f"clips names {len(names)} methods, expected {wanted} for the design {self.design}")
        return self

    @model_validator(mode="after")
    def _pairs_are_of_the_methods(self) -> "Study":
        if self.pairs is None:
            return self
        if self.design != "pairwise":
            raise ValueError(f"pairs: belongs to the design pairwise, this one is {self.design}")
        named = [self.pairs.candidate, *self.pairs.against]
        subset("pairs", named, "the methods of clips", self.methods)
        if len(set(named)) < len(named):
            raise ValueError(f"pairs: names a method twice: {', '.join(named)}")
        if idle := [name for name in self.methods if name not in named]:
            raise ValueError(f"pairs: leaves out {', '.join(idle)}, expected every method of clips")
        return self

    @model_validator(mode="after")
    def _questions_are_of_the_design(self) -> "Study":
        own = DEFAULTS[self.design]
        if self.questions and self.design in FIXED and set(self.questions) != set(own):
            found = ", ".join(self.questions)
            raise ValueError(f"questions: found {found}, the design {self.design} asks {', '.join(own)}")
        if len(self.questions) > MOST_QUESTIONS:
            raise ValueError(f"questions: found {len(self.questions)}, expected at most {MOST_QUESTIONS}")
        for key in self.questions:
            others = [design for design, asked in DEFAULTS.items() if key in asked and key not in own]
            if others:
                raise ValueError(
                    f"questions: {key!r} is a question of the design {others[0]}, this one is {self.design}"
                )
            if not re.fullmatch(r"[a-z][a-z0-9_]*", key):
                raise ValueError(f"questions: found the key {key!r}, expected small letters, digits and _")
        for key, sign in (("shows_a", "{a}"), ("shows_b", "{b}")):
            if key in self.asked and self.design == "mixture" and sign not in self.asked[key]:
                raise ValueError(f"questions.{key}: found {self.asked[key]!r}, expected {sign} where its part is named")
        return self

    @model_validator(mode="after")
    def _checks_can_be_answered(self) -> "Study":
        if self.ties and self.design not in SIDE_BY_SIDE:
            raise ValueError(f"ties: belongs to the designs {' and '.join(SIDE_BY_SIDE)}, this one is {self.design}")
        if self.checks.identical and self.design in SIDE_BY_SIDE and not self.ties:
            raise ValueError("checks.identical: shows the same clip on all sides and needs `ties: true`, found false")
        if self.checks.identical + self.checks.obvious > self.raters.trials:
            raise ValueError(
                f"checks: found {self.checks.identical + self.checks.obvious} of them, expected at most as many as "
                f"raters.trials ({self.raters.trials})"
            )
        return self

    @model_validator(mode="after")
    def _parts_are_of_mixtures(self) -> "Study":
        if self.clips.parts and self.design != "mixture":
            raise ValueError(f"clips.parts: belongs to the design mixture, this one is {self.design}")
        return self


def read(path: Path) -> Study:
    """Read and check a study's file. Its paths are checked by `clips.resolve`.

    Raises:
        StudyError: with a sentence for each mistake: file, key, what was found and what was expected.
    """
    if not path.is_file():
        raise StudyError(f"{path}: no such file, expected the YAML file of a study")
    values = params.read(path)
    if not isinstance(values, dict):
        raise StudyError(f"{path}: found {type(values).__name__}, expected keys such as name, design and clips")
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        raise StudyError("\n".join(f"{path}: {said}" for said in explain(error, values))) from None
