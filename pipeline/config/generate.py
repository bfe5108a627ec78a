"""The section `generate` of params.yaml: models, methods, and what they are asked for."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pipeline.config import paths
from pipeline.config.methods import FAMILIES, check_options
from pipeline.config.section import Device, Positive, Section, Share, Switch, Weight, subset

AskedFor = Literal["prompts", "mixtures"]
EXTERNAL = "external"  # the folder of videos of others, beside those of models


class GuidanceParams(Section):
    """Guidance that is `early` (null: `late`) while t > `until` T, then `late` (HARIVO). A number alone is `late`."""

    late: Weight
    early: Weight | None = None
    until: Share = 0.7


def _as_late(guidance: Any) -> Any:
    return guidance if isinstance(guidance, dict | GuidanceParams) else {"late": guidance}


def _none_is_empty(entries: Any) -> Any:
    """What is left of a section whose entries are all comments."""
    return {} if entries is None else entries


class SamplingParams(Section):
    """Diffusion steps, guidance scale, the clip's size in frames and pixels (null: the checkpoint's own), and what the
    denoiser computes in."""

    steps: Positive
    guidance: Annotated[GuidanceParams, BeforeValidator(_as_late)]
    frames: Positive | None = None
    height: Positive | None = None
    width: Positive | None = None
    precision: Literal["float32", "bfloat16", "float16"] = "bfloat16"


class Memory(Section):
    """What large models are made to fit with. `dtype`: of the weights on the device. `tiling`, `slicing`: whether the
    decoder makes frames in overlapping tiles, and of one clip at a time. `offload`: what waits in the machine's memory
    while it does not compute: whole networks (model), or every layer (sequential), which needs least and is slowest."""

    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    tiling: Switch = False
    slicing: Switch = False
    offload: Literal["none", "model", "sequential"] = "none"

    @property
    def settings(self) -> dict[str, Any]:
        """What of it changes a clip, where it is not the default; slices and places change none."""
        return self.model_dump(include={"dtype", "tiling"}, exclude_defaults=True)


class Model(Section):
    """`family`: of samplers, see config.methods.FAMILIES. `unconditional`: what guidance steers away from, the empty
    prompt's embedding or zeros. `batch`: clips that are sampled together; null: generate.batch. `device`: cpu, cuda or
    cuda:1; null: the first GPU where there is one. `memory`: of a CogVideoX checkpoint with a decoder of its own."""

    family: Literal[*FAMILIES]
    checkpoint: str
    codec: str | None = None
    encoder: str
    unconditional: Literal["empty", "zeros"] = "empty"
    sampling: SamplingParams
    fps: Positive
    batch: Positive | None = None
    device: Device | None = None
    memory: Memory = Memory()

    @property
    def deciding(self) -> dict[str, Any]:
        """What of it decides what a clip shows: not where, and how many at a time."""
        own = self.model_dump(mode="json", exclude={"batch", "device", "memory"})
        return own | ({"memory": self.memory.settings} if self.memory.settings else {})

    @model_validator(mode="after")
    def _memory_is_known(self) -> "Model":
        precision, memory = self.sampling.precision, self.memory
        known = self.family == "cogvideox" and self.codec is None
        if not known and memory != Memory():
            raise ValueError("memory: expected with family: cogvideox and codec: null alone; other models are small")
        if self.family != "cogvideox" and precision == "float16":
            raise ValueError("sampling.precision is float16, expected float32 or bfloat16 of any family but cogvideox")
        if memory.dtype not in ("float32", precision):
            raise ValueError(f"memory.dtype is {memory.dtype}, expected float32 or sampling.precision, {precision}")
        return self


class Asked(Section):
    """What methods are asked for of a set: `limit` prompts, the first, or mixtures, each kind in turn (null: all), with
    `seeds` clips each."""

    limit: Positive | None = None
    seeds: Positive = 1


class Method(BaseModel):
    """A method's module and its model. `set`, `limit`, `seeds` overrule what the section says for all methods.
    `evaluate`: whether it is in features, tables and plots. All further keys are options of the method or of its
    model's sampler, typed by config.methods."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())
    module: str
    model: str
    set: str | None = None
    limit: Positive | None = None
    seeds: Positive | None = None
    evaluate: Switch = True

    @property
    def options(self) -> dict[str, Any]:
        """The keys that the method itself or its sampler knows."""
        return dict(self.model_extra or {})


class External(Section):
    """Videos of others: their folder, the file of their captions (csv, json, jsonl), frames/s of frames and arrays."""

    clips: str
    captions: str
    fps: Positive = 8
    evaluate: Switch = True


class Generate(Section):
    """`set`: whose prompts and mixtures are asked for. `workers`: processes that sample on a CPU, one thread each; on a
    GPU there is one."""

    set: str
    mixtures: Asked
    prompts: Asked
    batch: Positive
    workers: Positive = 1
    models: dict[str, Model]
    methods: dict[str, Method]
    external: Annotated[dict[str, External], BeforeValidator(_none_is_empty)] = Field(default_factory=dict)

    @property
    def everything(self) -> dict[str, Method | External]:
        """Methods and videos of others, by name."""
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

    def limit_of(self, method: Method, asked: AskedFor) -> int | None:
        """How many prompts or mixtures a method is asked for; None for all of its set, also where its entry says so."""
        return method.limit if "limit" in method.model_fields_set else getattr(self, asked).limit

    def set_of(self, method: Method) -> str:
        """The set whose prompts or mixtures a method is asked for."""
        return method.set or self.set

    @model_validator(mode="after")
    def _names_are_folders(self) -> "Generate":
        for section, names in (("models", self.models), ("methods", self.methods), ("external", self.external)):
            for name in names:
                if not re.fullmatch(r"\w[\w.-]*", name):
                    raise ValueError(f"generate.{section} names {name!r}, expected letters, digits and any of _ - .")
        return self

    @model_validator(mode="after")
    def _names_are_told_apart(self) -> "Generate":
        both = sorted(set(self.methods) & set(self.external))
        if both:
            raise ValueError(f"generate.external names {both}, which generate.methods has already")
        if EXTERNAL in self.models:
            raise ValueError(f"generate.models names {EXTERNAL!r}, which is the folder of generate.external")
        return self

    @model_validator(mode="after")
    def _videos_are_elsewhere(self) -> "Generate":
        for name, entry in self.external.items():
            if Path(entry.clips).absolute().is_relative_to(paths.CLIPS.absolute()):
                raise ValueError(
                    f"generate.external.{name}.clips is {entry.clips!r}, expected a folder outside of "
                    f"{paths.CLIPS}, which the stages look after"
                )
        return self

    @model_validator(mode="after")
    def _methods_are_whole(self) -> "Generate":
        for name, method in self.methods.items():
            key = f"generate.methods.{name}"
            subset(f"{key}.model", [method.model], "generate.models", self.models)
            check_options(key, method.module, self.models[method.model].family, method.options, Method.model_fields)
        return self
