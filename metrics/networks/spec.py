"""What a network of the user's wants, and what it gives: a file of a few lines, or a transformers folder that says it.

Loads neither torch nor transformers.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

SUFFIXES = (".yaml", ".yml", ".json", ".toml")
PROCESSORS = ("video_preprocessor_config.json", "preprocessor_config.json", "processor_config.json")
_RESAMPLE = {0: "nearest", 2: "bilinear", 3: "bicubic"}  # PIL's numbers


class SpecError(ValueError):
    """A specification that cannot be followed; the message names file, field, found and expected."""


def _square(value: Any) -> Any:
    return (value, value) if isinstance(value, int) else value


def _rising(value: tuple[float, float]) -> tuple[float, float]:
    if not value[0] < value[1]:
        raise ValueError("expected [low, high]")
    return value


Pixels = Annotated[int, Field(ge=1)]
Colours = tuple[float, float, float]


class Spec(BaseModel):
    """A network, how it is fed, and which of its outputs is the feature.

    kind: a TorchScript file, or a folder in transformers' layout (`path`, from the specification's folder). layout: of
    the input; BCHW is a network of images: every frame has a vector. size: (height, width) of the input, or one side;
    null leaves frames as they are. short: the shorter side becomes so many pixels and the middle is kept; null squashes
    the whole frame. antialias: as PIL does; else plain interpolation. range: of pixel values before `mean` is taken
    away and what is left is divided by `std`. frames: of a clip, if it takes no other number. output: a key or number
    of its output; of a transformers checkpoint an output's name, "logits", or "penultimate": what its classifier sees.
    pool: how an output of more than (B, d) is averaged: "tokens" of (B, N, d), "first" of them, or "space", of (B, d,
    …). arguments: further ones of the network.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    kind: Literal["torchscript", "transformers"]
    path: Path
    layout: Literal["BCTHW", "BTCHW", "BCHW"]
    size: Annotated[tuple[Pixels, Pixels] | None, BeforeValidator(_square)]
    short: Pixels | None = None
    interpolation: Literal["nearest", "bilinear", "bicubic"] = "bilinear"
    antialias: bool = True
    range: Annotated[tuple[float, float], AfterValidator(_rising)]
    mean: Colours = (0.0, 0.0, 0.0)
    std: Colours = (1.0, 1.0, 1.0)
    frames: Pixels | None = None
    output: str | int | None = None
    pool: Literal["tokens", "first", "space"] | None = None
    arguments: dict[str, bool | int | float | str] = {}

    @model_validator(mode="after")
    def _fits(self) -> "Spec":
        if self.short is not None and (self.size is None or self.short < max(self.size)):
            raise ValueError(f"short is {self.short}, expected at least the larger side of size, {self.size}")
        if not all(self.std):
            raise ValueError(f"std is {self.std}, expected no zero")
        return self

    @property
    def per_frame(self) -> bool:
        """Whether every frame has a vector, not every clip."""
        return self.layout == "BCHW"

    @property
    def resize_rule(self) -> str:
        """How frames are resized, as fingerprints carry it."""
        if self.size is None:
            return "none"
        whole = "whole frame squashed" if self.short is None else f"short side to {self.short}, centre crop"
        antialias = "antialias" if self.antialias else "no antialias"
        return f"{whole}, {self.size[0]}x{self.size[1]}, {self.interpolation}, {antialias}"

    @property
    def value_range(self) -> str:
        """The range of the values, as fingerprints carry it."""
        normal = "" if (self.mean, self.std) == ((0, 0, 0), (1, 1, 1)) else f", minus {self.mean}, over {self.std}"
        return f"[{self.range[0]:g}, {self.range[1]:g}]{normal}"


def read_spec(place: Path) -> Spec:
    """A specification from its file (YAML, JSON or TOML), or that of a folder in transformers' layout.

    What a file leaves out of a transformers network is taken from its folder: number of frames, and what its
    preprocessor's configuration says of sizes, mean and standard deviation.

    Raises:
        SpecError: if there is no such place, or a field is missing or wrong.
    """
    if not place.exists():
        raise SpecError(f"network: {place}: no such file or folder")
    if place.is_dir():
        return _checked({"kind": "transformers", "path": place}, place)
    if place.suffix.lower() not in SUFFIXES:
        raise SpecError(
            f"network: {place}: expected a folder in transformers' layout, or a specification ({', '.join(SUFFIXES)}); "
            "a TorchScript file needs one: kind: torchscript, path, layout, size, range"
        )
    given = _load(place)
    if "path" in given:
        given["path"] = place.parent / str(given["path"])
    return _checked(given, place)


def _load(place: Path) -> dict[str, Any]:
    loaders = {".json": json.loads, ".toml": tomllib.loads}
    try:
        given = loaders.get(place.suffix.lower(), yaml.safe_load)(place.read_text(encoding="utf-8"))
    except (ValueError, yaml.YAMLError) as error:
        raise SpecError(f"network: {place}: cannot be read: {error}") from error
    if not isinstance(given, dict):
        raise SpecError(f"network: {place}: found {type(given).__name__}, expected fields")
    return given


def _checked(given: Mapping[str, Any], place: Path) -> Spec:
    network = Path(given["path"]) if "path" in given else None
    if network is not None and not network.exists():
        raise SpecError(f"network: {place}: path is {network}: no such file or folder")
    if given.get("kind") == "transformers" and network is not None:
        given = {**_of_folder(network), **given}
    try:
        return Spec.model_validate(given)
    except ValidationError as error:
        said = (f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}" for one in error.errors())
        bare = given.get("kind") == "transformers" and network is not None and not any(_processors(network))
        why = f" ({network} has no {' or '.join(PROCESSORS)}: write a specification)" if bare else ""
        raise SpecError(f"network: {place}: {'; '.join(said)}{why}") from error


def _of_folder(folder: Path) -> dict[str, Any]:
    """What a transformers folder says of its network."""
    if not (folder / "config.json").is_file():
        raise SpecError(f"network: {folder} has no config.json, expected a checkpoint's folder")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    frames = next((config[key] for key in ("num_frames", "frames_per_clip") if key in config), None)
    classifies = any(name.endswith("Classification") for name in config.get("architectures") or [])
    return {
        "layout": "BCHW" if frames is None else "BTCHW",
        "frames": frames,
        "output": "penultimate" if classifies else "last_hidden_state",
        "pool": "tokens",
        **dict(_of_processor(folder)),
    }


def _processors(folder: Path) -> Iterator[Path]:
    return (folder / name for name in PROCESSORS if (folder / name).is_file())


def _of_processor(folder: Path) -> Iterator[tuple[str, Any]]:
    """What the folder's preprocessor does to a frame, in the fields of a specification."""
    path = next(_processors(folder), None)
    if path is None:
        return
    made = json.loads(path.read_text(encoding="utf-8"))
    made = made.get("video_processor") or made.get("image_processor") or made
    if made.get("do_resize", True) and "size" in made:
        yield from _sizes(made, path)
        yield "interpolation", _RESAMPLE.get(made.get("resample", 2), made.get("resample"))
    factor = made.get("rescale_factor", 1 / 255) if made.get("do_rescale", True) else 1
    yield "range", (0.0, 255 * factor)
    if made.get("do_normalize", True):
        yield from ((key, made[f"image_{key}"]) for key in ("mean", "std") if f"image_{key}" in made)


def _sizes(made: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Any]]:
    size, crop = made["size"], made.get("crop_size") if made.get("do_center_crop", "crop_size" in made) else None
    size = {"shortest_edge": size} if isinstance(size, int) and crop else size
    size = {"height": size, "width": size} if isinstance(size, int) else size
    crop = {"height": crop, "width": crop} if isinstance(crop, int) else crop
    if "shortest_edge" in size:
        crop = crop or {"height": size["shortest_edge"], "width": size["shortest_edge"]}
        yield "short", size["shortest_edge"]
        yield "size", (crop["height"], crop["width"])
    elif {"height", "width"} <= set(size) and crop in (None, size):
        yield "size", (size["height"], size["width"])
    else:
        raise SpecError(f"{path}: size is {size}, crop_size {crop}: give size and short in a specification")
