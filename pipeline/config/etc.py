"""The section `etc` of params.yaml: what is measured of ETC once, and travels in git."""

from typing import Annotated

from pydantic import Field, model_validator

from pipeline.config.section import Number, Positive, Section

Rate = Annotated[Number, Field(ge=0, le=120)]  # frames a second; pipeline.etc.fps says what 0 and 120 mean


class EtcPoint(Section):
    """Clips of one trained model. training: of train. rate: frames a second that it is asked for; null: the method's
    own."""

    training: str
    rate: Rate | None = None


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
    rate. `prompts`: how many, a clip each, of every point. `remark`: what the report says above them.
    `attention`: whose frames' attention to one another is recorded; null: of none."""

    remark: str | None = None
    method: str
    prompts: Positive
    points: dict[str, EtcPoint]
    attention: EtcAttention | None = None

    @property
    def not_compared(self) -> set[str]:
        """The method, where `remark` says why it is not to be compared; else none."""
        return {self.method} if self.remark else set()
