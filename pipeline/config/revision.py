"""The revision of the code that runs here, as git knows it."""

import subprocess
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
    left_out = [f":!{place}" for place in without]
    return Revision(commit, bool(commit and _git("status", "--porcelain", "--", ".", *left_out)))


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
