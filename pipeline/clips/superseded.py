"""Clips that are no longer asked for, or would come out differently now: set aside and taken back, not deleted.

A clip lies in a folder named by its fingerprint, below it in one of its method, with its ledger entry beside it. A
method that asks for a clip of that fingerprint again gets it back; a method of another name gets a copy.
"""

import glob
import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from metrics.hashing import sha256
from metrics.progress import say
from pipeline.clips import ledger
from pipeline.clips.files import copy_clip

UNRECORDED = "unrecorded"  # files that stood beside clips and in no ledger


class Superseded:
    """The clips that are set aside below a folder, which need not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, clips: Path, entry: ledger.Entry) -> None:
        """Move the clip of a ledger entry here from a folder of clips. A clip of that method and fingerprint that is
        here already is the same one, and replaced."""
        record = self._record(entry.clip, entry.fingerprint, entry.method)
        record.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(entry), ensure_ascii=False)
        record.write_text(text + "\n", encoding="utf-8")  # before the clip: alone it counts for nothing
        (clips / entry.file).replace(record.parent / entry.file)

    def put_unrecorded(self, file: Path) -> None:
        """Move a file here that no ledger knows, under a name that its content makes its own."""
        place = self.folder / UNRECORDED
        place.mkdir(parents=True, exist_ok=True)
        file.replace(place / f"{file.parent.name}-{sha256(file)[:12]}-{file.name}")

    def unrecorded(self) -> list[Path]:
        """The files here that no ledger knows."""
        return sorted(path for path in (self.folder / UNRECORDED).glob("*") if path.is_file())

    def holds(self, clip: str, fingerprint: str) -> bool:
        """Whether there is a clip of that fingerprint, of any method."""
        return any(self._entry(record) for record in self._records(clip, fingerprint))

    def copy(self, clip: str, fingerprint: str, method: str, clips: Path) -> ledger.Entry | None:
        """Copy a clip back into a folder of clips, in place of what is there; the method's own if there is one, else
        one of that fingerprint; None if there is none."""
        for record in (self._record(clip, fingerprint, method), *self._records(clip, fingerprint)):
            entry = self._entry(record)
            if entry is not None:
                copy_clip(record.parent / entry.file, clips / entry.file)
                return entry
        return None

    def discard(self, clip: str, fingerprint: str, method: str) -> None:
        """Delete a method's own clip from here, if there is one."""
        record = self._record(clip, fingerprint, method)
        entry = self._entry(record)
        if entry is None:
            return
        record.unlink()
        (record.parent / entry.file).unlink()
        self._remove_empty(record.parent)

    def entries(self) -> Iterator[tuple[ledger.Entry, Path]]:
        """What is here, with the file of each."""
        for record in sorted(self.folder.glob("*/*/*.json")):
            entry = self._entry(record)
            if entry is not None:
                yield entry, record.parent / entry.file

    def empty(self) -> None:
        """Delete all of it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _record(self, clip: str, fingerprint: str, method: str) -> Path:
        return self.folder / fingerprint / method / f"{clip}.json"

    def _records(self, clip: str, fingerprint: str) -> list[Path]:
        return sorted(self.folder.glob(f"{fingerprint}/*/{glob.escape(clip)}.json"))

    @staticmethod
    def _entry(record: Path) -> ledger.Entry | None:
        """The ledger entry of a clip that is here, file and all: a kill may have come between record and clip."""
        try:
            entry = ledger.Entry(**json.loads(record.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return entry if (record.parent / entry.file).is_file() else None

    def _remove_empty(self, folder: Path) -> None:
        while folder != self.folder.parent and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent


def set_aside(clips: Path, kept: Mapping[str, ledger.Entry], superseded: Superseded) -> list[ledger.Entry]:
    """Leave no file in a folder of clips but the clips that are kept and its ledger; what a kill left half written is
    deleted. Folders in it are not touched.

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
    foreign = [path for path in sorted(clips.glob("*")) if path.name not in known and path.is_file()]
    for path in foreign:
        if path.name.startswith(".") and path.suffix == ".tmp":
            path.unlink()
        else:
            superseded.put_unrecorded(path)
            say(f"{path}: in no ledger, set aside in {superseded.folder / UNRECORDED}")
    return moved


def set_aside_unknown(clips: Path, known: Collection[Path], superseded: Superseded) -> None:
    """Set aside what methods left that are gone, renamed or another model's now, and say so. A folder without a ledger
    is nobody's method, and not touched.

    Args:
        clips: folder of models' folders of methods' folders. known: the folders of methods that there are.
    """
    for folder in sorted(path.parent for path in clips.glob(f"[!.]*/[!.]*/{ledger.FILE}") if path.parent not in known):
        moved = set_aside(folder, {}, superseded)
        for name in (ledger.FILE, ledger.ABOUT):
            (folder / name).unlink(missing_ok=True)
        if not any(folder.iterdir()):
            folder.rmdir()
        why = "no method of params.yaml has its clips here any more"
        say(f"{folder}: {why}; {len(moved)} clips set aside in {superseded.folder}")


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
