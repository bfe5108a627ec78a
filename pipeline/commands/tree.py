"""Copies of the working tree, in which the DAG runs with other parameters and the checkout stays as it is."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from pipeline.config import paths
from pipeline.config.revision import record

_COPIED = paths.SCRATCH / "copied.txt"  # in a copy: the files that came from the working tree


def copy(target: Path, wanted: Callable[[Path], bool] = lambda _: True) -> None:
    """Bring the wanted files of the working tree as git sees it (tracked, and new ones that are not ignored), and the
    public weights, into a folder. A copy that is there already is brought up to date: what it made itself stays. DVC's
    commands work in it.
    """
    listed = [path for path in (*_listed(), *_public()) if wanted(path)]
    for path in listed:
        if _differs(path, target / path):
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target / path)
    for gone in sorted(_copied(target) - set(listed)):
        (target / gone).unlink(missing_ok=True)
    (target / _COPIED).parent.mkdir(parents=True, exist_ok=True)
    (target / _COPIED).write_text("\n".join(map(str, listed)) + "\n", encoding="utf-8")
    record(target)
    (target / ".dvc").mkdir(exist_ok=True)
    # as `dvc config --local core.no_scm true` writes it, in milliseconds: the copy is no git repository
    (target / ".dvc/config.local").write_text("[core]\n    no_scm = True\n", encoding="utf-8")


def is_copy(folder: Path) -> bool:
    """Whether `copy` made a folder."""
    return (folder / _COPIED).is_file()


def reproduce(folder: Path, environment: Mapping[str, str] = os.environ) -> int:
    """`dvc repro` in a copy; returns its exit code, 1 if it ends without a report."""
    quiet = {"OMP_WAIT_POLICY": "PASSIVE"}  # spinning threads of two processes can cost seventy times
    code = subprocess.run(["dvc", "repro"], cwd=folder, env=quiet | dict(environment), check=False).returncode
    return code or int(not (folder / paths.REPORTS / "index.html").is_file())


def _listed() -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    return [Path(name) for name in names if name and Path(name).is_file()]


def _public() -> list[Path]:
    return sorted(path for path in paths.I3D.parent.rglob("*") if path.is_file())


def _copied(target: Path) -> set[Path]:
    """What an earlier `copy` brought."""
    file = target / _COPIED
    return {Path(name) for name in file.read_text(encoding="utf-8").splitlines()} if file.is_file() else set()


def _differs(source: Path, copied: Path) -> bool:
    if not copied.is_file():
        return True
    one, other = source.stat(), copied.stat()
    return (one.st_size, one.st_mtime_ns) != (other.st_size, other.st_mtime_ns)
