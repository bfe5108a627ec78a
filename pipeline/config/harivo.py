"""The section `harivo` of params.yaml: what is measured of HARIVO beside its methods."""

from pydantic import Field, model_validator

from pipeline.config.section import Above, Count, Positive, Section, Switch, Weight, subset
from pipeline.config.specs import MotionSpec
from pipeline.config.train import Schedule


class SweepPoint(Section):
    """A point of a sweep: the value of `mg_scale` at sampling time, or weights λ of a short training."""

    mg_scale: Weight | None = None
    lambda_trs: Weight | None = None
    lambda_reg: Weight | None = None
    lambda_dc: Weight | None = None

    @property
    def values(self) -> dict[str, float]:
        """What is swept, and its value here."""
        return self.model_dump(exclude_none=True)

    @property
    def weights(self) -> dict[str, float]:
        """The weights λ of a short training; none for a point of α."""
        return {key: value for key, value in self.values.items() if key != "mg_scale"}

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> "SweepPoint":
        if not self.values or ("mg_scale" in self.values and len(self.values) > 1):
            raise ValueError(f"a point has either mg_scale or some of the λ, found {sorted(self.values) or 'nothing'}")
        return self


class Sweep(Section):
    """Points are variants of a method of generate.methods and, where they change λ, of a training of train. `steps` of
    `batch` videos: the short training behind every point of λ. `prompts`: how many, a clip each, of every point.
    `remark`: what the report says above them."""

    method: str
    training: str
    steps: Positive
    batch: Positive
    prompts: Positive
    remark: str | None = None
    points: dict[str, SweepPoint]


class Trial(Section):
    """A training of temporal layers, measured once: one of train, but for what stands here; if nothing does, the
    weights that come with the repository. steps: of a shorter one; null: as many as that training has. mg: whether its
    clips are sampled with the mitigating gradient. prompts: how many, a clip each; null: as many as of every trial. The
    others: see Schedule and MotionSpec."""

    training: str
    steps: Positive | None = None
    batch: Positive | None = None
    warmup: Count | None = None
    learning_rate: Above | None = None
    seed: Positive | None = None
    queue: Positive | None = None
    other_content: Switch | None = None
    limit_dc: Switch | None = None
    timestep_power: Above | None = None
    mg: Switch = False
    prompts: Positive | None = None

    @property
    def changes(self) -> dict[str, float]:
        """In what its training differs from the one that it is a variant of."""
        return self.model_dump(exclude_none=True, exclude={"training", "mg", "prompts"})

    @property
    def of_spec(self) -> dict[str, float]:
        """What differs in its specification."""
        return {key: value for key, value in self.changes.items() if key in MotionSpec.model_fields}

    @property
    def of_schedule(self) -> dict[str, float]:
        """What differs in its schedule, but for `steps`, with which others change."""
        return {key: value for key, value in self.changes.items() if key in Schedule.model_fields and key != "steps"}


class Trials(Section):
    """`points`: trainings that are sampled as `method` of generate.methods is. `prompts`: how many, a clip each, of
    every point. `choices`: the points of learning rates, by trained model: the one with the least validation loss is
    its rate. `ablation`: points by the rows of Tables 1 and A2. `pairs`: the baseline's point and that of HARIVO
    without its mitigating gradient, for each seed of training; three at least, for a table."""

    method: str
    prompts: Positive
    points: dict[str, Trial] = Field(default_factory=dict)
    choices: dict[str, list[str]] = Field(default_factory=dict)
    ablation: dict[str, str] = Field(default_factory=dict)
    pairs: list[tuple[str, str]] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_points(self) -> "Trials":
        chosen = [name for names in self.choices.values() for name in names]
        named = [*chosen, *self.ablation.values(), *(name for pair in self.pairs for name in pair)]
        subset("harivo.trials", named, "harivo.trials.points", self.points)
        return self


class NoiseCase(Section):
    """Shape (C, F, h, w) of a noise, and PYoCo's weights a (0: independent)."""

    shape: tuple[Positive, Positive, Positive, Positive]
    weights: list[Weight]


class Normality(Section):
    """Table A1: the noises, and how many videos of each."""

    videos: Positive
    cases: list[NoiseCase]


class Harivo(Section):
    """`mg_scale`: α of the mitigating gradient. `ablation`: methods by the rows of Tables 1 and A2, `remark`: what the
    report says above them. `sweep`: of α and the λ. `trials`: learning rates, negatives, timesteps and training seeds.
    `normality`: Table A1."""

    remark: str | None = None
    mg_scale: Weight
    ablation: dict[str, str]
    sweep: Sweep
    trials: Trials
    normality: Normality

    @property
    def not_compared(self) -> set[str]:
        """The methods of the ablation, where `remark` says why they are not to be compared; else none."""
        return set(self.ablation.values()) if self.remark else set()
