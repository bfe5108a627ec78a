"""Clips that are no longer asked for, or would come out differently now: set aside and taken back, not deleted.

A clip lies in a folder named by its fingerprint, with its ledger entry beside it. A method that asks for a
clip of that fingerprint gets it back, also under another name.
"""

import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from metrics.progress import say
from pipeline.clips import ledger

UNRECORDED = "unrecorded"  # files that stood beside clips and in no ledger


class Superseded:
    """The clips that are set aside below a folder, which need not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, clips: Path, entry: ledger.Entry) -> None:
        """Move the clip of a ledger entry here from a folder of clips. A clip of that fingerprint that is here already
        is the same one, and replaced."""
        place = self.folder / entry.fingerprint
        place.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(entry), ensure_ascii=False)
        (place / f"{entry.clip}.json").write_text(text + "\n", encoding="utf-8")
        (clips / entry.file).replace(place / entry.file)

    def put_unrecorded(self, file: Path) -> None:
        """Move a file here that no ledger knows."""
        place = self.folder / UNRECORDED / file.parent.name
        place.mkdir(parents=True, exist_ok=True)
        file.replace(place / file.name)

    def holds(self, clip: str, fingerprint: str) -> bool:
        """Whether there is a clip of that fingerprint."""
        return self._entry(clip, fingerprint) is not None

    def take(self, clip: str, fingerprint: str, clips: Path) -> ledger.Entry | None:
        """Move a clip back into a folder of clips, in place of what is there; None if there is none."""
        entry = self._entry(clip, fingerprint)
        if entry is None:
            return None
        record = self.folder / fingerprint / f"{clip}.json"
        clips.mkdir(parents=True, exist_ok=True)
        (record.parent / entry.file).replace(clips / entry.file)
        record.unlink()
        if not any(record.parent.iterdir()):
            record.parent.rmdir()
        return entry

    def entries(self) -> Iterator[tuple[ledger.Entry, Path]]:
        """What is here, with the file of each."""
        for record in sorted(self.folder.glob("*/*.json")):
            entry = self._entry(record.stem, record.parent.name)
            if entry is not None:
                yield entry, record.parent / entry.file

    def _entry(self, clip: str, fingerprint: str) -> ledger.Entry | None:
        """The ledger entry of a clip that is here, file and all: a kill may have come between record and clip."""
        record = self.folder / fingerprint / f"{clip}.json"
        try:
            entry = ledger.Entry(**json.loads(record.read_text(encoding="utf-8")))
        except (FileNotFoundError, json.JSONDecodeError, TypeError):
            return None
        return entry if (record.parent / entry.file).is_file() else None

    def empty(self) -> None:
        """Delete all of it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def set_aside(clips: Path, kept: Mapping[str, ledger.Entry], superseded: Superseded) -> list[ledger.Entry]:
    """Leave nothing in a folder of clips but those that are kept, and its ledger; what a kill left half written is
    deleted.

    Args:
        kept: entries by clip id.

    Returns:
        The entries whose clips were set aside.
    """
    moved = [
        entry
        for name, entry in ledger.read(clips).items()
        if entry.outcome == ledger.OK and name not in kept and (clips / entry.file).is_file()
    ]
    for entry in moved:
        superseded.put(clips, entry)
    known = {ledger.FILE, ledger.ABOUT, *(entry.file for entry in kept.values())}
    for path in sorted(clips.glob("*")):
        if path.name in known or not path.is_file():
            continue
        if path.suffix == ".tmp":
            path.unlink()
        else:
            superseded.put_unrecorded(path)
    return moved


def set_aside_unknown(clips: Path, known: Collection[Path], superseded: Superseded) -> None:
    """Set aside what methods left that are gone, renamed or another model's now, and say so.

    Args:
        clips: folder of models' folders of methods' folders. known: the folders of methods that there are.
    """
    for folder in sorted(path for path in clips.glob("[!.]*/[!.]*") if path.is_dir() and path not in known):
        moved = set_aside(folder, {}, superseded)
        shutil.rmtree(folder)
        say(f"{folder}: params.yaml has no such method any more; {len(moved)} clips set aside in {superseded.folder}")


def difference(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """In what two descriptions of how clips are made differ: "sampling.width: 32 -> 33", or "other code" of digests."""
    said: list[str] = []
    for key in dict.fromkeys([*before, *now]):
        old, new = before.get(key), now.get(key)
        if old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            said += difference(old, new, f"{prefix}{key}.")
        elif _is_digest(old) or _is_digest(new):
            said.append(f"other {prefix}{key}")
        else:
            said.append(f"{prefix}{key}: {old} -> {new}")
    return said


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and len(value) >= 12 and all(digit in "0123456789abcdef+" for digit in value)
