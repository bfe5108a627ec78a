"""Where a model's files are, and which weights they hold."""

import hashlib
from pathlib import Path

WEIGHT_SUFFIXES = (".safetensors", ".bin", ".msgpack")


class CheckpointError(ValueError):
    """A checkpoint that cannot be found or read; the message says where it was looked for and what to do."""


def resolve(checkpoint: str | Path) -> Path:
    """The local folder of a checkpoint given as a folder or as a hub id (downloaded by huggingface_hub, cached).

    Raises:
        CheckpointError: if it is neither a folder here nor a hub id that can be reached.
    """
    folder = Path(checkpoint).expanduser()
    if folder.is_dir():
        return folder
    text = str(checkpoint)
    if folder.is_absolute() or text.startswith((".", "models/")) or text.count("/") != 1:
        raise CheckpointError(f"checkpoint folder {text!r} does not exist and is no hub id of the form owner/name")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(text))
    except Exception as error:  # the hub client raises a dozen unrelated types for "cannot be had"
        raise CheckpointError(f"hub id {text!r} could not be fetched ({error}); give a local folder instead") from error


def weight_hash(folder: Path) -> str:
    """sha256 over every weight file below `folder`, in the order of their names.

    Raises:
        CheckpointError: if the folder holds no weights.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix in WEIGHT_SUFFIXES)
    if not files:
        raise CheckpointError(f"{folder} holds no weights (expected files ending in {', '.join(WEIGHT_SUFFIXES)})")
    return _hash_of(files, folder)


def content_hash(folder: Path) -> str:
    """sha256 over the configurations (.json) and weights below `folder`, in the order of their names."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (*WEIGHT_SUFFIXES, ".json"))
    return _hash_of(files, folder)


def _hash_of(files: list[Path], folder: Path) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(bytes.fromhex(sha256(path)))
    return digest.hexdigest()


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
