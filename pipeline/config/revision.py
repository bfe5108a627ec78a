"""The revision of the code that runs here, as git knows it."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Revision:
    """commit: its hash, "" where there is no repository. changed: whether files differ from it."""

    commit: str
    changed: bool


def revision(*without: Path) -> Revision:
    """Of the working directory's repository; changes in the files and folders `without` are none."""
    commit = _git("rev-parse", "HEAD")
    places = [".", *(f":!{place}" for place in without)]
    return Revision(commit, bool(commit and (_changed(places) or _untracked(places))))


def _changed(places: Sequence[str]) -> str:
    """Files whose content differs, after git's filters: `git status` goes by the size, and would name dvc.lock."""
    return _git("diff", "HEAD", "--name-only", "--", *places)


def _untracked(places: Sequence[str]) -> str:
    return _git("ls-files", "--others", "--exclude-standard", "--", *places)


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
