"""The section `etc` of params.yaml: what is measured of ETC once, and travels in git."""

from typing import Annotated

from pydantic import Field, model_validator

from pipeline.config.section import KeptShare, Number, Positive, Section, Share

Rate = Annotated[Number, Field(ge=0, le=120)]  # frames a second; pipeline.etc.fps says what 0 and 120 mean


class EtcPoint(Section):
    """Clips of one trained model. training: of train. rate: frames a second that it is asked for; null: the method's
    own. prompts: how many, a clip each; null: as many as of every point."""

    training: str
    rate: Rate | None = None
    prompts: Positive | None = None


class ShortPoint(Section):
    """A short training. used: clips that it learns from, null: the training's own. filter_ratio: α, what the filter
    keeps of a collection with bad videos; null: of a good one nothing is dropped."""

    steps: Positive
    used: Positive | None = None
    filter_ratio: KeptShare | None = None


class Short(Section):
    """`points`: short trainings that are variants of `training`. `prompts`: how many, a clip each, of every point.
    `spoilt`: the share of bad videos in the collection that is filtered."""

    training: str
    prompts: Positive
    spoilt: Share
    points: dict[str, ShortPoint]


class LargerPoint(Section):
    """A trained model, trained on for a few steps with more frames or more pixels. rate: that it is asked for."""

    steps: Positive
    rate: Rate
    frames: Positive
    height: Positive
    batch: Positive


class Larger(Section):
    """`points`: fine-tunings of `training` (Figure 6). `prompts`: how many, a clip each; `shown`: of them kept."""

    training: str
    prompts: Positive
    shown: Positive
    points: dict[str, LargerPoint]


class EtcAttention(Section):
    """Figure 11: `trainings`, of train, on grids. `prompts`: how many, a clip each, the maps are means over. `steps`:
    of sampling, counted from 1."""

    trainings: Annotated[list[str], Field(min_length=1)]
    prompts: Positive
    steps: Annotated[list[Positive], Field(min_length=1)]

    @model_validator(mode="after")
    def _steps_are_in_order(self) -> "EtcAttention":
        if self.steps != sorted(set(self.steps)):
            raise ValueError(f"steps are {self.steps}, expected each once, in rising order")
        return self


class Etc(Section):
    """`points`: what is sampled and measured, variants of `method`, of generate.methods, in the trained model and the
    rate. `prompts`: how many, a clip each, of every point. `remark`: what the report says above them. `short`: points
    with a training of their own; `larger`: fine-tunings for longer or larger clips; `attention`: whose frames'
    attention to one another is recorded; null: none."""

    remark: str | None = None
    method: str
    prompts: Positive
    points: dict[str, EtcPoint]
    short: Short
    larger: Larger
    attention: EtcAttention | None = None

    @property
    def measured(self) -> list[str]:
        """The points of both kinds that are measured as methods are."""
        return [*self.points, *self.short.points]

    @property
    def variants(self) -> dict[str, Short | Larger]:
        """The kinds of points that train on their own, by key."""
        return {"short": self.short, "larger": self.larger}

    @property
    def not_compared(self) -> set[str]:
        """The method, where `remark` says why it is not to be compared; else none."""
        return {self.method} if self.remark else set()

    @model_validator(mode="after")
    def _names_are_told_apart(self) -> "Etc":
        both = sorted(set(self.points) & set(self.short.points))
        if both:
            raise ValueError(f"short.points names {both}, which points has already")
        return self
