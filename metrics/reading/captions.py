"""Captions of clips, from csv, json or jsonl, by file stem."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from metrics.reading.sources import ARRAYS, IMAGES, VIDEOS

CLIP_FIELDS = ("file", "clip", "stem", "video", "name", "id")
CAPTION_FIELDS = ("caption", "prompt", "text")


class CaptionError(ValueError):
    """A file of captions that cannot be used; the message names file, row and field."""


def read_captions(path: Path, fields: tuple[str, ...] = CAPTION_FIELDS) -> dict[str, str]:
    """Captions by stem (a path below the clips' folder works too; suffixes are dropped), or what another of the fields
    says, which may be whole numbers, as names of clips may.

    A csv has a header with one of file, clip, stem, video, name, id and one of caption, prompt, text. A json file
    holds {stem: caption}, or a list of objects with such fields; jsonl has one such object a line.

    Raises:
        CaptionError: naming the row and field of what is missing, empty or given twice with different captions.
    """
    readers = {".csv": _from_csv, ".json": _from_json, ".jsonl": _from_jsonl}
    if path.suffix.lower() not in readers:
        raise CaptionError(f"{path}: captions in {path.suffix or 'no suffix'!r}, expected {', '.join(readers)}")
    try:
        rows = readers[path.suffix.lower()](path)
    except FileNotFoundError:
        raise CaptionError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:  # json and csv errors are ValueErrors
        if isinstance(error, CaptionError):
            raise
        raise CaptionError(f"{path}: cannot be read: {error}") from error
    return _by_stem(path, rows, fields)


def _from_csv(path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    return [(f"row {i + 2}", row) for i, row in enumerate(table.to_dict("records"))]


def _from_json(path: Path) -> list[tuple[str, Any]]:
    data = json.loads(path.read_text(encoding="utf-8-sig"))
    if isinstance(data, dict):
        return [(f"key {key!r}", {"clip": key, "caption": text}) for key, text in data.items()]
    if not isinstance(data, list):
        raise CaptionError(f"{path}: found {type(data).__name__}, expected an object or a list of objects")
    return [(f"item {i}", row) for i, row in enumerate(data)]


def _from_jsonl(path: Path) -> list[tuple[str, Any]]:
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    return [(f"line {i}", json.loads(line)) for i, line in enumerate(lines, 1) if line.strip()]


def _by_stem(path: Path, rows: Iterable[tuple[str, Any]], fields: tuple[str, ...]) -> dict[str, str]:
    captions: dict[str, str] = {}
    for where, row in rows:
        if not isinstance(row, Mapping):
            raise CaptionError(f"{path}, {where}: found {type(row).__name__}, expected an object")
        name, caption = _field(path, where, row, CLIP_FIELDS), _field(path, where, row, fields)
        known = Path(name).suffix.lower() in (*VIDEOS, *IMAGES, *ARRAYS)
        stem = str(Path(name).with_suffix("")) if known else name
        if captions.setdefault(stem, caption) != caption:
            raise CaptionError(f"{path}, {where}: {name!r} has another caption already: {captions[stem]!r}")
    if not captions:
        raise CaptionError(f"{path}: no captions")
    return captions


def _field(path: Path, where: str, row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    field = next((name for name in names if name in row), None)
    if field is None:
        expected = f"one of {', '.join(names)}" if len(names) > 1 else repr(names[0])
        raise CaptionError(f"{path}, {where}: found fields {', '.join(map(str, row))}; expected {expected}")
    value = row[field]
    if isinstance(value, int) and names != CAPTION_FIELDS:
        value = str(value)  # the number of a clip or scene
    if not isinstance(value, str) or not value.strip():
        raise CaptionError(f"{path}, {where}, field {field}: found {value!r}, expected text")
    return value.strip()
