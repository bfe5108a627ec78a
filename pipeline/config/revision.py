"""The revision of the code that runs here, as git knows it; in a copy of the working tree, that of the original."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import paths

_RECORD = paths.SCRATCH / "revision.json"  # in a copy, which is no repository of its own


@dataclass(frozen=True)
class Revision:
    """commit: its hash, "" where there is no repository. changed: whether files differ from it."""

    commit: str
    changed: bool


def revision(*without: Path) -> Revision:
    """Of the working directory's repository; changes in the files and folders `without` are none.

    In a copy it is what `record` wrote: git would answer for the repository around the copy, which ignores it.
    """
    commit, files = _recorded() if _RECORD.is_file() else _of_repository()
    return Revision(commit, any(not any(file.is_relative_to(place) for place in without) for file in files))


def record(copy: Path) -> None:
    """Write the working directory's commit, and the files that differ from it, into a copy of it."""
    commit, files = _of_repository()
    (copy / _RECORD).parent.mkdir(parents=True, exist_ok=True)
    said = {"commit": commit, "changed": [file.as_posix() for file in files]}
    (copy / _RECORD).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def _recorded() -> tuple[str, list[Path]]:
    said = json.loads(_RECORD.read_text(encoding="utf-8"))
    return said["commit"], [Path(file) for file in said["changed"]]


def _of_repository() -> tuple[str, list[Path]]:
    """Commit, and files whose content differs after git's filters (`git status` goes by the size, and would name
    dvc.lock) or that are new; below the working directory, and relative to it."""
    commit = _git("rev-parse", "HEAD").strip()
    if not commit:
        return "", []
    changed = _git("diff", "HEAD", "--name-only", "--relative", "-z")
    untracked = _git("ls-files", "--others", "--exclude-standard", "-z")
    return commit, [Path(name) for name in (changed + untracked).split("\0") if name]


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout if done.returncode == 0 else ""
