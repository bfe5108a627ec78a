"""What identifies a training: a checkpoint of another identity is not continued."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from metrics.hashing import content_hash, sha256
from pipeline.config import paths
from pipeline.config.code import CARRIES_NO_RESULT, code_hash
from pipeline.config.embed import Embed
from pipeline.config.specs import Conditioned
from pipeline.config.train import Training


def identity(name: str, wanted: Training, embed: Embed) -> str:
    """Names a training: parameters, the code of its module and of the loop, and the models and videos that it reads."""
    code = code_hash(f"pipeline.training.{wanted.module}", "pipeline.training.loop", without=CARRIES_NO_RESULT)
    given = _given(wanted, embed)
    read = {paths.world_model("codec"), paths.MINILM, *_named(given)} - {paths.world_model(name)}
    below = [_content(place) for place in sorted(read) if place.exists()]
    return json.dumps([name, given, wanted.schedule.model_dump(), code, below])


def _given(wanted: Training, embed: Embed) -> dict[str, Any]:
    """The specification, and how the set that it names is embedded."""
    given = {"spec": wanted.spec.model_dump()}
    if not isinstance(wanted.spec, Conditioned):
        return given
    text = wanted.spec.text
    encoder = embed.encoders[text.encoder]
    embedded = {"kind": encoder.kind, "checkpoint": encoder.checkpoint, **encoder.sets[text.set].model_dump()}
    return given | {"text": embedded}


def _named(given: Mapping[str, Any]) -> Iterator[Path]:
    """Whatever may be a file or folder in parameters, also in what they nest."""
    for value in given.values():
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
