"""Reads params.yaml, and is the only module that does: one typed, validated object for every knob."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from metrics.reading.rule import ClipRule
from metrics.scoring.catalogue import EVALUATED, METRICS
from metrics.scoring.protocol import PROTOCOLS, Protocol, named
from pipeline.config import paths, references
from pipeline.config.embed import Embed
from pipeline.config.etc import Etc
from pipeline.config.generate import Asked, Generate
from pipeline.config.harivo import Harivo
from pipeline.config.make_a_video import MakeAVideo
from pipeline.config.section import Count, Positive, Section, explain, subset
from pipeline.config.specs import Conditioned
from pipeline.config.study import UserStudy
from pipeline.config.train import Train


class ParamsError(ValueError):
    """params.yaml is wrong; the message names the key, what was found and what was expected."""


class Weights(Section):
    i3d: Path | None = None
    minilm: Path | None = None


class MsrVtt(Section):
    path: Path | None = None
    captions: Literal["first", "all", "random"] = "first"
    seed: Count = 0


class Prompts(Section):
    sets: list[str]
    msrvtt: MsrVtt = MsrVtt()


class Search(Section):
    k: list[Positive]
    default_k: Positive

    @model_validator(mode="after")
    def _default_is_swept(self) -> "Search":
        if self.default_k not in self.k:
            raise ValueError(f"search.default_k is {self.default_k}, which is not in search.k {self.k}")
        return self


class Reference(Section):
    """The real side of FVD and KVD: how many clips the world renders, from which seed."""

    clips: Positive
    seed: Count


class Clips(Section):
    """Which frames of a video are scored; see metrics.scoring.protocol.ClipRule."""

    frames: Positive = 16
    start: Count = 0
    stride: Positive = 1


class Features(Section):
    """`protocol`: one of metrics.scoring.protocol.PROTOCOLS; `workers`: processes that decode, and compute if on a CPU,
    null for one for each core; `temporal`: whether flicker and optical flow are measured too, which evaluate.metrics
    may then name."""

    protocol: Literal[*PROTOCOLS]
    clips: Clips = Clips()
    batch: Positive
    workers: Count | None = None
    clip: str
    clip_text_tower: str
    temporal: bool = False

    @property
    def chosen_protocol(self) -> Protocol:
        """The protocol with the rule for clips."""
        return named(self.protocol).with_clips(ClipRule(**self.clips.model_dump()))


class Comparison(Section):
    """Two methods whose clips of the same prompt or mixture, and seed, are compared."""

    candidate: str
    baseline: str

    @model_validator(mode="after")
    def _are_two(self) -> "Comparison":
        if self.candidate == self.baseline:
            raise ValueError(f"compares {self.candidate!r} with itself")
        return self


class Evaluate(Section):
    """`reference`: what FVD and KVD compare with, a name of generate.external, or a place: a folder of videos, or a
    file that `reelbench stats` wrote; null: the world's own clips. `labels`: a CSV of labels of clips, in the judge's
    place. `cluster`: what is drawn and flipped, a prompt with all its clips, or ("none") clips as if they were
    independent."""

    reference: str | None = None
    labels: Annotated[str, AfterValidator(os.path.expanduser)] | None = None
    cluster: Literal["prompt", "none"] = "prompt"
    comparisons: list[Comparison]
    metrics: list[Literal[*EVALUATED]]
    confidence: Annotated[float, Field(gt=0, lt=1)]
    resamples: Count
    seed: Count
    curve_seeds: Positive

    @property
    def place(self) -> Path | None:
        """Where the real clips are, if `reference` is no name: a place has a / in it."""
        return Path(self.reference).expanduser() if self.reference and "/" in self.reference else None

    @property
    def compares(self) -> bool:
        """Whether any metric compares with real clips."""
        return any(METRICS[name].needs == "real" for name in self.metrics)

    @model_validator(mode="after")
    def _metrics_are_named_once(self) -> "Evaluate":
        if len(set(self.metrics)) < len(self.metrics):
            raise ValueError(f"metrics names one twice: {', '.join(self.metrics)}")
        return self


class Published(Section):
    """Figures that come with the repository: the methods, which a run need not have, and what each is asked for, of its
    own `limit` and `seeds` regardless."""

    methods: list[str] = Field(default_factory=list)
    mixtures: Asked = Asked()
    prompts: Asked = Asked()


class Oracle(Section):
    """Whether any step of the interpolation shows a mixture. `method`: of generate.methods, whose model samples all
    steps 0 … `k`, and the guide prompt, of `limit` mixtures, each kind in turn (null: all; those of two parts count),
    with `seeds` clips each."""

    method: str
    k: Positive
    seeds: Positive
    limit: Positive | None = None

    @model_validator(mode="after")
    def _midpoint_is_a_step(self) -> "Oracle":
        if self.k % 2:
            raise ValueError(f"k is {self.k}, expected an even number, so that the midpoint is one of the steps")
        return self


class Bounds(Section):
    """Theorem A.6 in numbers: `method`: of generate.methods, whose model makes a clip of each of the first `prompts`
    prompts of its set, all from one noise."""

    method: str
    prompts: int = Field(ge=2)


class Richspace(Section):
    """`oracle`: null samples none. `bounds`: null measures none."""

    oracle: Oracle | None = None
    bounds: Bounds | None = None


class Report(Section):
    """`strip`, `guide`: of generate.methods. `controls`: of train, a training by the one without the cue."""

    title: str
    strip: str
    guide: str
    controls: dict[str, str] = Field(default_factory=dict)


class Params(Section):
    weights: Weights
    prompts: Prompts
    embed: Embed
    search: Search
    train: Train
    generate: Generate
    reference: Reference
    features: Features
    evaluate: Evaluate
    published: Published = Published()
    richspace: Richspace = Richspace()
    harivo: Harivo
    etc: Etc
    make_a_video: MakeAVideo
    study: UserStudy
    report: Report

    @model_validator(mode="after")
    def _references_exist(self) -> "Params":
        """Every name that one section uses must be defined in the other."""
        subset("generate.set", [self.generate.set], "the sets of embed.encoders", self.embed.sets)
        for name, model in self.generate.models.items():
            subset(f"generate.models.{name}.encoder", [model.encoder], "embed.encoders", self.embed.encoders)
            references.check_embedded_alike(name, model.encoder, self.generate, self.embed)
        for name, training in self.train.items():
            if isinstance(training.spec, Conditioned):
                text = training.spec.text
                self.embed.check(f"train.{name}.spec.text", text.encoder, text.set)
        references.check_shaded_alike(self.train)
        references.check_zeros_are_padding(self.train, self.generate, self.embed)
        subset("report", [self.report.strip, self.report.guide], "generate.methods", self.generate.methods)
        controls = [name for pair in self.report.controls.items() for name in pair]
        captioned = [name for name, training in self.train.items() if isinstance(training.spec, Conditioned)]
        subset("report.controls", controls, "the trainings on captions", captioned)
        read_off = [name for name in self.evaluate.metrics if METRICS[name].network in ("pixels", "flow")]
        if read_off and not self.features.temporal:
            raise ValueError(f"evaluate.metrics: {read_off[0]} wants features.temporal to be true")
        evaluated = self.generate.evaluated
        real, imported = filter(None, [self.evaluate.reference]), set(self.generate.external) & set(evaluated)
        where = "generate.external that are evaluated (a folder or file has a / in it)"
        subset("evaluate.reference", real if not self.evaluate.place else [], where, imported)
        if self.evaluate.labels and self.study.simulated.designs and not self.study.votes:
            raise ValueError("evaluate.labels: simulated raters ask the judge, expected study.simulated.designs: []")
        evaluated = [name for name in evaluated if name != self.evaluate.reference]
        compared = [name for pair in self.evaluate.comparisons for name in (pair.candidate, pair.baseline)]
        subset("evaluate.comparisons", compared, "the methods that are evaluated", evaluated)
        references.check_harivo(self.harivo, self.train, self.generate)
        oracle = [self.richspace.oracle.method] if self.richspace.oracle else []
        subset("richspace.oracle.method", oracle, "generate.methods", self.generate.methods)
        bounds = [self.richspace.bounds.method] if self.richspace.bounds else []
        subset("richspace.bounds.method", bounds, "generate.methods", self.generate.methods)
        references.check_etc(self.etc, self.train, self.generate)
        references.check_make_a_video(self.make_a_video, self.generate)
        subset("harivo.ablation", self.harivo.ablation.values(), "the methods that are evaluated", evaluated)
        return self


def load(path: Path = paths.PARAMS) -> Params:
    """Read and validate params.yaml.

    Raises:
        ParamsError: naming the key, what was found and what was expected.
    """
    return checked(read(path), str(path))


def checked(values: dict[str, Any], origin: str) -> Params:
    """Parameters as `read` gives them, validated. origin: what they are, for errors.

    Raises:
        ParamsError: naming the key, what was found and what was expected.
    """
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise ParamsError("\n".join(f"{origin}: {said}" for said in explain(error, values))) from None


class Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in a section, of which YAML would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[Any, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise ParamsError(f"line {line}: the key {key.value!r} is there already, in line {seen[key.value]}")
            seen[key.value] = line
        return super().construct_mapping(node, deep)


def read(path: Path = paths.PARAMS, loader: type[Loader] = Loader) -> dict[str, Any]:
    """The parameters as they are written, unchecked.

    Raises:
        ParamsError: if there is no such file, or it is no YAML.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), loader)
    except ParamsError as error:
        raise ParamsError(f"{path}: {error}") from None
    except FileNotFoundError:
        raise ParamsError(f"{path} not found: run from the repository's root") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path} is not valid YAML: {error}") from error


def write(wanted: dict[str, Any], path: Path = paths.PARAMS) -> None:
    """Write parameters as `read` gives them; comments and anchors of the file are lost."""
    path.write_text(yaml.safe_dump(wanted, sort_keys=False), encoding="utf-8")
