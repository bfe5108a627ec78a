"""Prompt sets: files under prompts/ and a user's MSR-VTT -> one validated table of prompts and one of mixtures.

Every error is reported with file, row (line number) and field, all of a file's errors at once.
"""

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from metrics.hashing import sha256

PROMPT_COLUMNS = ("id", "category", "text")
MIXTURE_COLUMNS = ("id", "parts", "guide")


class PromptError(ValueError):
    """A prompt file that cannot be used; the message lists file, row and field of every error."""


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


def spread(mixtures: Sequence[Mixture], limit: int | None) -> list[Mixture]:
    """So many of a set's mixtures, in its order: the first of each kind, then the second of each, and so on.

    Mixtures of a kind have the same in the column `attributes`; without the column these are the first of the set. All
    if `limit` is None.
    """
    taken: Counter[str] = Counter()
    ranks: list[int] = []
    for mixture in mixtures:
        kind = mixture.extra.get("attributes", "")
        ranks.append(taken[kind])
        taken[kind] += 1
    chosen = sorted(sorted(range(len(mixtures)), key=ranks.__getitem__)[:limit])
    return [mixtures[index] for index in chosen]


def normalise(text: str) -> str:
    """Unicode NFC, without surrounding blanks: texts that look the same are the same."""
    return unicodedata.normalize("NFC", text).strip()


def read_prompts(path: Path, set_name: str) -> list[Prompt]:
    """Read one prompt file.

    Raises:
        PromptError: naming row and field, for broken UTF-8, missing columns, empty or duplicate ids, empty text.
    """
    rows = _read_csv(path, PROMPT_COLUMNS)
    errors = _id_errors(path, rows)
    errors += [f"{path}, row {line}, field text: empty" for line, row in rows if not row["text"]]
    if errors:
        raise PromptError("\n".join(errors))
    return [
        Prompt(f"{set_name}/{row['id']}", set_name, row["category"], row["text"], extra(row, PROMPT_COLUMNS))
        for _, row in rows
    ]


def read_mixtures(path: Path, set_name: str, prompt_ids: set[str]) -> list[Mixture]:
    """Read one mixture file, whose parts and guides must be among `prompt_ids` (set/name).

    Raises:
        PromptError: naming row and field, as `read_prompts`, and for unknown references or a wrong number of parts.
    """
    rows = _read_csv(path, MIXTURE_COLUMNS)
    errors = _id_errors(path, rows)
    mixtures = []
    for line, row in rows:
        parts = tuple(f"{set_name}/{part}" for part in row["parts"].split())
        guide = f"{set_name}/{row['guide']}"
        if len(parts) not in (2, 3):
            errors.append(f"{path}, row {line}, field parts: expected two or three prompt ids, found {len(parts)}")
        for name, reference in [*(("parts", part) for part in parts), ("guide", guide)]:
            if reference not in prompt_ids:
                errors.append(f"{path}, row {line}, field {name}: unknown prompt {reference.split('/', 1)[1]!r}")
        mixtures.append(Mixture(f"{set_name}/{row['id']}", set_name, parts, guide, extra(row, MIXTURE_COLUMNS)))
    if errors:
        raise PromptError("\n".join(errors))
    return mixtures


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


def _id_errors(path: Path, rows: list[tuple[int, dict[str, str]]]) -> list[str]:
    errors = [f"{path}, row {line}, field id: empty" for line, row in rows if not row["id"]]
    first: dict[str, int] = {}
    for line, row in rows:
        name = row["id"]
        if name in first and name:
            errors.append(f"{path}, row {line}, field id: duplicate {name!r}, already in row {first[name]}")
        if set(name) & set("/\\ \t"):
            errors.append(f"{path}, row {line}, field id: {name!r} contains a slash or a blank")
        first.setdefault(name, line)
    return errors


def extra(row: dict[Any, Any], known: tuple[str, ...]) -> dict[str, str]:
    """The columns of a row that are not among the known ones and hold something."""
    return {key: value for key, value in row.items() if key not in known and value}


def _check_frozen(path: Path, expected: str | None) -> None:
    if expected and path.is_file() and sha256(path) != expected:
        raise PromptError(f"{path}: sha256 is {sha256(path)}, frozen in sets.yaml as {expected}")
