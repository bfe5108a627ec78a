"""What a training is: whoever has another identity does not continue its checkpoint."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from metrics.hashing import content_hash, sha256
from pipeline.config import paths
from pipeline.config.code import code_hash
from pipeline.training.loop import Schedule

BY_VALUE = ("pipeline.config",)  # parameters are in the identity themselves


def module_of(name: str, module: str | None) -> str:
    """The dotted name of a training's module: `module`, a file of pipeline/training/ without its suffix, else that of
    the model's own name."""
    return f"pipeline.training.{module or name}"


def identity(name: str, module: str, spec: Mapping[str, Any], schedule: Schedule) -> str:
    """Names a training: parameters, the code of its module and of the loop, and the models and videos that it reads.

    Args:
        module: dotted name of the training's module.
    """
    code = code_hash(module, "pipeline.training.loop", without=BY_VALUE)
    read = {paths.world_model("codec"), paths.MINILM, *_named(spec)} - {paths.world_model(name)}
    below = [_content(place) for place in sorted(read) if place.exists()]
    return json.dumps([name, dict(spec), asdict(schedule), code, below])


def _named(spec: Mapping[str, Any]) -> Iterator[Path]:
    """Whatever may be a file or folder in a spec, also in what it nests."""
    for value in spec.values():
        if isinstance(value, Mapping):
            yield from _named(value)
        elif isinstance(value, str):
            yield Path(value)


def _content(place: Path) -> object:
    """Hash of a file, or of a model's folder; of other files below it, gigabytes of video say, their sizes."""
    if place.is_file():
        return sha256(place)
    sizes = sorted((path.relative_to(place).as_posix(), path.stat().st_size) for path in place.rglob("*"))
    return [content_hash(place), sizes]
