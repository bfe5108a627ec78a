"""Prompt sets: files under prompts/ and a user's MSR-VTT -> one validated table of prompts and one of mixtures.

Every fault is reported with file, row (line number) and field, all of a file's faults at once.
"""

import csv
import io
import json
import random
import unicodedata
import zipfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from pipeline.checkpoints import sha256

PROMPT_COLUMNS = ("id", "category", "text")
MIXTURE_COLUMNS = ("id", "parts", "guide")
MSRVTT_VIDEOS, MSRVTT_CAPTIONS = 2990, 20


class PromptError(ValueError):
    """A prompt file that cannot be used; the message lists file, row and field of every fault."""


@dataclass(frozen=True)
class Prompt:
    """One prompt; `id` is unique over all sets (set/name); `extra` holds the file's further columns."""

    id: str
    set: str
    category: str
    text: str
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The id without its set: safe as a file name."""
        return self.id.split("/", 1)[1]


@dataclass(frozen=True)
class Mixture:
    """Two or three parts and a guide, by prompt id; `extra` holds the file's further columns."""

    id: str
    set: str
    parts: tuple[str, ...]
    guide: str
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The id without its set: safe as a file name."""
        return self.id.split("/", 1)[1]


def read_sets(folder: Path, sets: list[str]) -> tuple[list[Prompt], list[Mixture]]:
    """Read and check the named sets of a folder that holds a sets.yaml.

    Raises:
        PromptError: if a set is not registered, a file is missing, changed though frozen, or has a faulty row.
    """
    registry = yaml.safe_load((folder / "sets.yaml").read_text(encoding="utf-8"))
    prompts: list[Prompt] = []
    mixtures: list[Mixture] = []
    for name in dict.fromkeys(sets):
        if name not in registry:
            raise PromptError(f"{folder / 'sets.yaml'}: no set {name!r}, found {', '.join(sorted(registry))}")
        _check_frozen(folder / f"{name}.csv", registry[name].get("sha256"))
        own = read_prompts(folder / f"{name}.csv", name)
        prompts += own
        mixture_file = folder / f"{name}.mixtures.csv"
        if mixture_file.exists():
            _check_frozen(mixture_file, registry[name].get("mixtures_sha256"))
            mixtures += read_mixtures(mixture_file, name, {prompt.id for prompt in own})
    return prompts, mixtures


def normalise(text: str) -> str:
    """Unicode NFC, without surrounding blanks: texts that look the same are the same."""
    return unicodedata.normalize("NFC", text).strip()


def read_prompts(path: Path, set_name: str) -> list[Prompt]:
    """Read one prompt file.

    Raises:
        PromptError: naming row and field, for broken UTF-8, missing columns, empty or duplicate ids, empty text.
    """
    rows = _read_csv(path, PROMPT_COLUMNS)
    faults = _id_faults(path, rows)
    faults += [f"{path}, row {line}, field text: empty" for line, row in rows if not row["text"]]
    if faults:
        raise PromptError("\n".join(faults))
    return [
        Prompt(f"{set_name}/{row['id']}", set_name, row["category"], row["text"], _extra(row, PROMPT_COLUMNS))
        for _, row in rows
    ]


def read_mixtures(path: Path, set_name: str, prompt_ids: set[str]) -> list[Mixture]:
    """Read one mixture file, whose parts and guides must be among `prompt_ids` (set/name).

    Raises:
        PromptError: naming row and field, as `read_prompts`, and for unknown references or a wrong number of parts.
    """
    rows = _read_csv(path, MIXTURE_COLUMNS)
    faults = _id_faults(path, rows)
    mixtures = []
    for line, row in rows:
        parts = tuple(f"{set_name}/{part}" for part in row["parts"].split())
        guide = f"{set_name}/{row['guide']}"
        if len(parts) not in (2, 3):
            faults.append(f"{path}, row {line}, field parts: expected two or three prompt ids, found {len(parts)}")
        for name, reference in [*(("parts", part) for part in parts), ("guide", guide)]:
            if reference not in prompt_ids:
                faults.append(f"{path}, row {line}, field {name}: unknown prompt {reference.split('/', 1)[1]!r}")
        mixtures.append(Mixture(f"{set_name}/{row['id']}", set_name, parts, guide, _extra(row, MIXTURE_COLUMNS)))
    if faults:
        raise PromptError("\n".join(faults))
    return mixtures


def read_msrvtt(path: Path, rule: str, seed: int) -> list[Prompt]:
    """MSR-VTT's test captions from the official json, or the zip around it.

    Args:
        rule: "first" or "random" (one caption a video, drawn with `seed`), or "all" (20 a video).

    Raises:
        PromptError: if the file is not the official one (2,990 videos, 20 captions each).
    """
    captions: dict[str, list[str]] = defaultdict(list)
    data = _read_json(path)
    try:
        for sentence in sorted(data["sentences"], key=lambda s: s["sen_id"]):
            captions[sentence["video_id"]].append(normalise(sentence["caption"]))
        category = {video["video_id"]: str(video["category"]) for video in data["videos"]}
    except (KeyError, TypeError) as error:
        raise PromptError(f"{path}: not MSR-VTT's videodatainfo: no {error} where it is expected") from error
    _check_msrvtt(path, captions, category)
    rng = random.Random(seed)
    prompts = []
    for video in sorted(captions, key=lambda name: int(name.removeprefix("video"))):
        texts = captions[video]
        chosen = {"first": texts[:1], "all": texts, "random": [rng.choice(texts)]}[rule]
        for i, text in enumerate(chosen):
            name = video if rule != "all" else f"{video}-{i:02d}"
            prompts.append(Prompt(f"msrvtt/{name}", "msrvtt", category[video], text))
    return prompts


def write_tables(prompts: list[Prompt], mixtures: list[Mixture], prompt_path: Path, mixture_path: Path) -> None:
    """Write the validated tables as CSV; further columns of the sets become columns, empty where a set has none."""
    prompt_path.parent.mkdir(parents=True, exist_ok=True)
    prompt_rows = [{"id": p.id, "set": p.set, "category": p.category, "text": p.text, **p.extra} for p in prompts]
    pd.DataFrame(prompt_rows).to_csv(prompt_path, index=False)
    mixture_rows = [
        {"id": m.id, "set": m.set, "parts": " ".join(m.parts), "guide": m.guide, **m.extra} for m in mixtures
    ]
    pd.DataFrame(mixture_rows, columns=None if mixture_rows else [*MIXTURE_COLUMNS, "set"]).to_csv(
        mixture_path, index=False
    )


def read_tables(prompt_path: Path, mixture_path: Path) -> tuple[dict[str, Prompt], list[Mixture]]:
    """The tables that `write_tables` wrote: prompts by id, and mixtures in order."""
    prompts = pd.read_csv(prompt_path, dtype=str, keep_default_na=False)
    mixtures = pd.read_csv(mixture_path, dtype=str, keep_default_na=False)
    known = ("id", "set", "category", "text")
    by_id = {
        str(row["id"]): Prompt(**{key: row[key] for key in known}, extra=_extra(row, known))
        for row in prompts.to_dict("records")
    }
    return by_id, [
        Mixture(
            row["id"], row["set"], tuple(row["parts"].split()), row["guide"], _extra(row, (*MIXTURE_COLUMNS, "set"))
        )
        for row in mixtures.to_dict("records")
    ]


def _read_csv(path: Path, required: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """(line number, normalised row) of every row; line 1 is the header."""
    if not path.is_file():
        raise PromptError(f"{path}: no such file")
    reader = csv.DictReader(io.StringIO(_read_utf8(path), newline=""), strict=True)
    missing = [name for name in required if name not in (reader.fieldnames or [])]
    if missing:
        raise PromptError(f"{path}, row 1: no column {', '.join(missing)}; found {', '.join(reader.fieldnames or [])}")
    rows = []
    try:
        for row in reader:
            if None in row or None in row.values():
                raise PromptError(f"{path}, row {reader.line_num}: expected {len(reader.fieldnames)} fields")
            rows.append((reader.line_num, {key: normalise(value) for key, value in row.items()}))
    except csv.Error as error:
        raise PromptError(f"{path}, row {reader.line_num}: {error}") from error
    return rows


def _read_utf8(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        column = data[: error.start].rsplit(b"\n", 1)[-1].count(b",") + 1
        raise PromptError(
            f"{path}, row {line}, field {column}: byte 0x{data[error.start]:02x} is not valid UTF-8"
        ) from error


def _id_faults(path: Path, rows: list[tuple[int, dict[str, str]]]) -> list[str]:
    faults = [f"{path}, row {line}, field id: empty" for line, row in rows if not row["id"]]
    first: dict[str, int] = {}
    for line, row in rows:
        name = row["id"]
        if name in first and name:
            faults.append(f"{path}, row {line}, field id: duplicate {name!r}, already in row {first[name]}")
        if set(name) & set("/\\ \t"):
            faults.append(f"{path}, row {line}, field id: {name!r} contains a slash or a blank")
        first.setdefault(name, line)
    return faults


def _extra(row: dict[Any, Any], known: tuple[str, ...]) -> dict[str, str]:
    return {key: value for key, value in row.items() if key not in known and value}


def _check_frozen(path: Path, expected: str | None) -> None:
    if expected and path.is_file() and sha256(path) != expected:
        raise PromptError(f"{path}: sha256 is {sha256(path)}, frozen in sets.yaml as {expected}")


def _read_json(path: Path) -> Any:
    if not path.is_file():
        raise PromptError(f"prompts.msrvtt.path: {path} does not exist")
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                return json.loads(archive.read("test_videodatainfo.json"))
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise PromptError(f"{path}: not a readable test_videodatainfo.json: {error}") from error


def _check_msrvtt(path: Path, captions: dict[str, list[str]], category: dict[str, str]) -> None:
    counts = Counter(len(texts) for texts in captions.values())
    if len(captions) != MSRVTT_VIDEOS or set(counts) != {MSRVTT_CAPTIONS} or set(captions) != set(category):
        raise PromptError(
            f"{path}: expected {MSRVTT_VIDEOS} videos with {MSRVTT_CAPTIONS} captions each, found {len(captions)} "
            f"videos with {dict(counts)} captions"
        )
