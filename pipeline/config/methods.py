"""The options of a method's entry in params.yaml, typed by its module and by its model's family of samplers.

A method's file may have a class `Options`, a `Section` of the keys that it alone knows. Such files import torch only
where they compute, so that params.yaml is checked whole in a moment.
"""

import importlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError, model_validator

from pipeline.config.code import file_of
from pipeline.config.etc import Rate
from pipeline.config.section import Positive, Section, Switch, Weight, explain, refuse_unknown

Own = TypeVar("Own", bound=Section)


class NoOptions(Section):
    """Nothing but what every method states."""


class Controlled(Section):
    """A ControlNet. folder: of it, or hub id. video: what steers the clips of a method, one for all of them: a video,
    or a folder of pictures, as many as a clip has frames. scale: of what it adds."""

    folder: str
    video: str
    scale: Weight = 1.0


class ImagePrompt(Section):
    """An IP-Adapter. folder: of its files, or hub id, with image_encoder/ below `subfolder`; weights: the file there.
    image: the picture that the clips of a method take after. scale: how much."""

    folder: str
    subfolder: str = "models"
    weights: str = "ip-adapter_sd15.safetensors"
    image: str
    scale: Weight = 1.0


class Animated(Section):
    """Options of a method on a text-to-image model.

    motion: folder or hub id of trained temporal layers, which make a model of images one of videos; null: frames by
    themselves. mapping, temporal: false leaves HARIVO's mapping network, or the temporal layers and frame-wise tokens,
    out. lora: folder or hub id of a LoRA of the text-to-image model; controlnet, image_prompt: a ControlNet and an
    IP-Adapter of it. mg: the mitigating gradient; null: as the method does by itself.
    """

    motion: str | None = None
    mapping: Switch = True
    temporal: Switch = True
    lora: str | None = None
    controlnet: Controlled | None = None
    image_prompt: ImagePrompt | None = None
    mg: Switch | None = None

    @model_validator(mode="after")
    def _layers_are_there(self) -> "Animated":
        for name in ("mapping", "temporal", "lora", "controlnet", "image_prompt"):
            if self.motion is None and getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name} needs temporal layers (motion)")
        if self.mg and self.motion is None:
            raise ValueError("mg: the mitigating gradient needs temporal layers (motion)")
        return self


class Rated(Section):
    """Options of a method on a video model that has a frame rate.

    trained: folder of the model, which a training with `module: etc` wrote on the text-to-image checkpoint. rate: the
    frames a second that it is asked for; 0 asks for unrelated images, 120 for one that stands still.
    """

    trained: str
    rate: Rate = 8


class Part(Section):
    """A network of Make-A-Video's cascade: the folder of its training, and steps of DDIM."""

    folder: str
    steps: Positive


class GuidedPart(Part):
    """guidance: towards the text (P) or the image embedding (↑F); 1 is none, and costs half."""

    guidance: Weight = 1.0


class InterpolationPart(GuidedPart):
    """window: frames at once, as many as it was trained on."""

    window: Annotated[Positive, Field(ge=2)] = 16


class EnlargingPart(Part):
    """low: pixels of a side of the frames that it was trained to enlarge."""

    low: Positive


class Cascade(Section):
    """Options of a method of Make-A-Video, whose model's checkpoint is D.

    prior: P; null: the method is asked for with image embeddings. video: folder of D_t; null: D with layers over time
    at their initialisation, frame by frame. factor: frames that come of one of D_t's. interpolation: ↑F, which makes
    them; null: each of D_t's frames stays until the next. sr_t, sr_h: super-resolutions; null: none. clip, text_tower:
    folders of the dual encoder.
    """

    clip: str
    text_tower: str
    prior: GuidedPart | None
    video: str | None
    factor: Positive
    interpolation: InterpolationPart | None
    sr_t: EnlargingPart | None
    sr_h: EnlargingPart | None

    @model_validator(mode="after")
    def _one_after_the_other(self) -> "Cascade":
        if self.sr_h and not self.sr_t:
            raise ValueError("sr_h without sr_t, which comes before it")
        return self


_SHARED = ("base", "context", "noise", "rules")  # what methods are made of
# What a method may say of its sampler, by family: a file of pipeline/samplers/, and one that it becomes with `motion`.
FAMILIES: dict[str, type[Section]] = {
    "cogvideox": NoOptions,
    "unet3d": NoOptions,
    "stable_diffusion": Animated,
    "grid": Rated,
    "cascade": Cascade,
}


def check_options(key: str, module: str, family: str, options: Mapping[str, Any], common: Iterable[str]) -> None:
    """Refuse options that neither the method nor its sampler knows, or of a wrong type.

    Args:
        key: of the entry. module: the method's file. common: keys that every method has.

    Raises:
        ValueError: naming the key, what was found and what was expected.
    """
    kinds = [own_options(f"{key}.module", module), FAMILIES[family]]
    try:
        refuse_unknown(options, [*common, *(name for kind in kinds for name in kind.model_fields)])
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None
    for kind in kinds:
        typed(key, kind, options)


def typed(key: str, kind: type[Own], options: Mapping[str, Any]) -> Own:
    """Those of the options that a kind knows.

    Raises:
        ValueError: if one is missing, or of a wrong type.
    """
    own = {name: value for name, value in options.items() if name in kind.model_fields}
    try:
        return kind.model_validate(own)
    except ValidationError as error:
        raise ValueError("\n".join(explain(error, own, key))) from None


def own_options(key: str, module: str) -> type[Section]:
    """The class `Options` of a method's file; without one it has none.

    Raises:
        ValueError: if there is no such file among the methods, or it cannot be imported.
    """
    path = Path(module)
    if not path.is_file():
        raise ValueError(f"{key} is {module!r}: there is no such file")
    name = module_name(module)
    if not name.startswith("pipeline.methods.") or file_of(name) is None or name.split(".")[-1] in _SHARED:
        raise ValueError(f"{key} is {module!r}, expected a file of pipeline/methods/")
    try:
        options = getattr(importlib.import_module(name), "Options", NoOptions)
    except Exception as error:  # whatever the file does when it is imported
        sys.modules.pop(name, None)
        raise ValueError(f"{key} is {module!r}, which cannot be imported: {type(error).__name__}: {error}") from error
    if not (isinstance(options, type) and issubclass(options, Section)):
        raise ValueError(f"{key} is {module!r}, whose Options is no pipeline.config.section.Section")
    return options


def module_name(module: str) -> str:
    """The dotted name of a method's file."""
    return ".".join(Path(module).with_suffix("").parts)
