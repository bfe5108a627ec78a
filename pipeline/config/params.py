"""Reads params.yaml, and is the only module that does: one typed, validated object for every knob."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from metrics.reading.rule import ClipRule
from metrics.scoring.protocol import Protocol, named
from pipeline.config import paths

Positive = Annotated[int, Field(ge=1)]
EXTERNAL = "external"  # the folder of videos of others, beside those of models


class ParamsError(ValueError):
    """params.yaml is wrong; the message names the key, what was found and what was expected."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


def _subset(key: str, names: Iterable[str], where: str, known: Iterable[str]) -> None:
    missing = sorted(set(names) - set(known))
    if missing:
        raise ValueError(f"{key} names {missing}, expected one of {where}: {sorted(known)}")


class Weights(_Section):
    i3d: Path | None = None
    minilm: Path | None = None


class MsrVtt(_Section):
    path: Path | None = None
    captions: Literal["first", "all", "random"] = "first"
    seed: int = 0


class Prompts(_Section):
    sets: list[str]
    msrvtt: MsrVtt = MsrVtt()


class EmbeddedSet(_Section):
    """Padded length in tokens, and whether the padding's rows are set to zero."""

    length: Positive
    zero_padding: bool


class Encoder(_Section):
    kind: Literal["minilm", "t5", "clip"]
    checkpoint: str
    sets: dict[str, EmbeddedSet]


class Embed(_Section):
    encoders: dict[str, Encoder]


class Search(_Section):
    k: list[Positive]
    default_k: Positive

    @model_validator(mode="after")
    def _default_is_swept(self) -> "Search":
        if self.default_k not in self.k:
            raise ValueError(f"search.default_k is {self.default_k}, which is not in search.k {self.k}")
        return self


class Training(_Section):
    """`module`: file under pipeline/training/ without its suffix, null for the model's own name. `spec` and `schedule`
    are the arguments of its spec class and of training.loop.Schedule."""

    module: str | None = None
    spec: dict[str, Any]
    schedule: dict[str, Any]


class GuidanceParams(_Section):
    """Guidance that is `early` while t > `until` T, then `late` (HARIVO)."""

    early: float
    late: float
    until: Annotated[float, Field(ge=0, le=1)] = 0.7


class SamplingParams(_Section):
    """Diffusion steps, guidance scale, the clip's size in frames and pixels (null: the checkpoint's own), and what the
    denoiser computes in."""

    steps: Positive
    guidance: float | GuidanceParams
    frames: Positive | None = None
    height: Positive | None = None
    width: Positive | None = None
    precision: Literal["float32", "bfloat16"] = "bfloat16"


class Model(_Section):
    """`family`: file under pipeline/samplers/ without its suffix. `unconditional`: what guidance steers away from, the
    empty prompt's embedding or zeros."""

    family: str
    checkpoint: str
    codec: str | None = None
    encoder: str
    embedding_scale: float = 1.0
    unconditional: Literal["empty", "zeros"] = "empty"
    sampling: SamplingParams
    fps: Positive


class Asked(_Section):
    """What methods are asked for of a set: the first `limit` (null: all), with `seeds` clips each."""

    limit: Positive | None = None
    seeds: Positive = 1


class Method(BaseModel):
    """A method's module and its model. `ask`: what a method that takes texts as they are is asked for. `set`, `limit`,
    `seeds` overrule what the section says for all methods. `evaluate`: whether it is in features, tables and plots.
    Everything else in the entry is the method's own."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())
    module: str
    model: str
    ask: Literal["prompts", "mixtures"] = "prompts"
    set: str | None = None
    limit: Positive | None = None
    seeds: Positive | None = None
    evaluate: bool = True

    @property
    def options(self) -> dict[str, Any]:
        """The keys that only the method itself knows."""
        return dict(self.model_extra or {})


class External(_Section):
    """Videos of others: their folder, the file of their captions (csv, json, jsonl), frames/s of frames and arrays."""

    clips: str
    captions: str
    fps: Positive = 8
    evaluate: bool = True


class Generate(_Section):
    """`set`: whose prompts and mixtures are asked for. `workers`: processes that sample on a CPU, one thread each; on a
    GPU there is one."""

    set: str
    mixtures: Asked
    prompts: Asked
    batch: Positive
    workers: Positive = 1
    models: dict[str, Model]
    methods: dict[str, Method]
    external: dict[str, External] = {}

    @property
    def everything(self) -> dict[str, Method | External]:
        """Whatever makes or brings clips, by name."""
        return {**self.methods, **self.external}

    @property
    def evaluated(self) -> list[str]:
        """Whatever is in features, tables and plots."""
        return [name for name, entry in self.everything.items() if entry.evaluate]

    def of_model(self, model: str) -> list[str]:
        """The methods of a model, which one process serves."""
        return [name for name, method in self.methods.items() if method.model == model]

    def folder(self, name: str) -> Path:
        """Where the clips and the ledger of a method, or of videos of others, are."""
        return paths.clips(self.methods[name].model if name in self.methods else EXTERNAL, name)

    def set_of(self, method: Method) -> str:
        """The set whose prompts or mixtures a method is asked for."""
        return method.set or self.set

    @model_validator(mode="after")
    def _names_are_told_apart(self) -> "Generate":
        both = sorted(set(self.methods) & set(self.external))
        if both:
            raise ValueError(f"generate.external names {both}, which generate.methods has already")
        if EXTERNAL in self.models:
            raise ValueError(f"generate.models names {EXTERNAL!r}, which is the folder of generate.external")
        return self

    @model_validator(mode="after")
    def _models_exist(self) -> "Generate":
        for name, method in self.methods.items():
            _subset(f"generate.methods.{name}.model", [method.model], "generate.models", self.models)
        return self


class Reference(_Section):
    """The real side of FVD and KVD: how many clips the world renders, from which seed."""

    clips: Positive
    seed: int


class Clips(_Section):
    """Which frames of a video are scored; see metrics.scoring.protocol.ClipRule."""

    frames: Positive = 16
    start: Annotated[int, Field(ge=0)] = 0
    stride: Positive = 1


class Features(_Section):
    """`protocol`: one of metrics.scoring.protocol.PROTOCOLS; `workers`: processes that decode."""

    protocol: Literal["reelbench", "reference", "styleganv", "clip-centre"]
    clips: Clips = Clips()
    batch: Positive
    workers: Annotated[int, Field(ge=0)] = 2
    clip: str
    clip_text_tower: str

    @property
    def chosen_protocol(self) -> Protocol:
        """The protocol with the rule for clips."""
        return named(self.protocol).with_clips(ClipRule(**self.clips.model_dump()))


class Comparison(_Section):
    """Two methods whose clips of the same prompt or mixture, and seed, are compared."""

    candidate: str
    baseline: str


class Evaluate(_Section):
    comparisons: list[Comparison]
    metrics: list[Literal["fvd", "fvd_inf", "kvd", "clipsim", "clip_score", "frame_consistency"]]
    confidence: Annotated[float, Field(gt=0, lt=1)]
    resamples: Annotated[int, Field(ge=0)]
    seed: int
    curve_seeds: Positive


class SweepPoint(_Section):
    """A point of a sweep: the value of `mg_scale` at sampling time, or weights λ of a short training."""

    mg_scale: Annotated[float, Field(ge=0)] | None = None
    lambda_trs: Annotated[float, Field(ge=0)] | None = None
    lambda_reg: Annotated[float, Field(ge=0)] | None = None
    lambda_dc: Annotated[float, Field(ge=0)] | None = None

    @property
    def values(self) -> dict[str, float]:
        """What is swept, and its value here."""
        return self.model_dump(exclude_none=True)

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> "SweepPoint":
        if not self.values or ("mg_scale" in self.values and len(self.values) > 1):
            raise ValueError(f"a point has either mg_scale or some of the λ, found {sorted(self.values) or 'nothing'}")
        return self


class Sweep(_Section):
    """`model`: of train.*, which the points change. The short training behind every point of λ, in steps of `batch`
    videos; clips of every point; the points."""

    model: str
    steps: Positive
    batch: Positive
    prompts: Positive
    points: Annotated[dict[str, SweepPoint], Field(min_length=1)]


class NoiseCase(_Section):
    """Shape (C, F, h, w) of a noise, and PYoCo's weights a (0: independent)."""

    shape: tuple[Positive, Positive, Positive, Positive]
    weights: list[Annotated[float, Field(ge=0)]]


class Normality(_Section):
    """Table A1: the noises, and how many videos of each."""

    videos: Positive
    cases: list[NoiseCase]


class Harivo(_Section):
    """`mg_scale`: α of the mitigating gradient. `ablation`: methods by the rows of Tables 1 and A2. `sweep`: of α and
    the λ. `normality`: Table A1."""

    mg_scale: Annotated[float, Field(ge=0)]
    ablation: dict[str, str]
    sweep: Sweep
    normality: Normality


class Report(_Section):
    title: str
    strip: str
    guide: str


class Params(_Section):
    weights: Weights
    prompts: Prompts
    embed: Embed
    search: Search
    train: dict[str, Training]
    generate: Generate
    reference: Reference
    features: Features
    evaluate: Evaluate
    harivo: Harivo
    report: Report

    @model_validator(mode="after")
    def _references_exist(self) -> "Params":
        """Every name that one section uses must be defined in the other."""
        for name, model in self.generate.models.items():
            _subset(f"generate.models.{name}.encoder", [model.encoder], "embed.encoders", self.embed.encoders)
        for name, method in self.generate.methods.items():
            encoder = self.generate.models[method.model].encoder
            embedded = self.embed.encoders[encoder].sets
            own = self.generate.set_of(method)
            _subset(f"generate.methods.{name}.set", [own], f"embed.encoders.{encoder}.sets", embedded)
        _subset("report", [self.report.strip, self.report.guide], "generate.methods", self.generate.methods)
        evaluated = self.generate.evaluated
        compared = [name for pair in self.evaluate.comparisons for name in (pair.candidate, pair.baseline)]
        _subset("evaluate.comparisons", compared, "the methods that are evaluated", evaluated)
        _subset("harivo.sweep.model", [self.harivo.sweep.model], "train", self.train)
        _subset("harivo.ablation", self.harivo.ablation.values(), "the methods that are evaluated", evaluated)
        return self


def load(path: Path = paths.PARAMS) -> Params:
    """Read and validate params.yaml.

    Raises:
        ParamsError: naming the key, what was found and what was expected.
    """
    try:
        return Params.model_validate(read(path))
    except ValidationError as error:
        raise ParamsError("\n".join(_explain(path, fault) for fault in error.errors())) from None


def read(path: Path = paths.PARAMS) -> dict[str, Any]:
    """The parameters as they are written, unchecked.

    Raises:
        ParamsError: if there is no such file, or it is no YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(f"{path} not found: run from the repository's root") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path} is not valid YAML: {error}") from error


def write(wanted: dict[str, Any], path: Path = paths.PARAMS) -> None:
    """Write parameters as `read` gives them; comments and anchors of the file are lost."""
    path.write_text(yaml.safe_dump(wanted, sort_keys=False), encoding="utf-8")


def _explain(path: Path, fault: Any) -> str:
    key = ".".join(str(part) for part in fault["loc"]) or "(top level)"
    return f"{path}: {key}: {fault['msg']}, found {fault['input']!r}"[:500]
