"""Digests of files and weights: what makes a result is named by its content."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

WEIGHT_SUFFIXES = (".safetensors", ".bin", ".msgpack")
TEXT_SUFFIXES = (".json", ".txt", ".model")  # configurations, and what tokenizers are made of


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(choices: Mapping[str, object] | Sequence[object]) -> str:
    """Twelve hex digits of a sha256 over the choices; the order of a mapping does not matter."""
    return hashlib.sha256(json.dumps(choices, sort_keys=True).encode()).hexdigest()[:12]


def weight_hash(place: Path) -> str:
    """sha256 of a file of weights, or over every weight file below a folder, in the order of their names.

    Raises:
        FileNotFoundError: if the folder holds no weights.
    """
    if place.is_file():
        return sha256(place)
    files = sorted(path for path in place.rglob("*") if path.suffix in WEIGHT_SUFFIXES)
    if not files:
        raise FileNotFoundError(f"{place} holds no weights (expected files ending in {', '.join(WEIGHT_SUFFIXES)})")
    return _hash_of(files, place)


def content_hash(folder: Path) -> str:
    """sha256 over the weights, configurations and tokenizer files below a folder, in the order of their names."""
    kinds = (*WEIGHT_SUFFIXES, *TEXT_SUFFIXES)
    return _hash_of(sorted(path for path in folder.rglob("*") if path.suffix in kinds), folder)


def _hash_of(files: list[Path], folder: Path) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(bytes.fromhex(sha256(path)))
    return digest.hexdigest()
