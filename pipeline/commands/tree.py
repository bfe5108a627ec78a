"""Copies of the working tree, in which the DAG runs with other parameters and the checkout stays as it is."""

import contextlib
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
    public weights, into a folder; nothing of copies that lie in the tree, as this one may. A copy that is there already
    is brought up to date: what it made itself stays. DVC's commands work in it.
    """
    copies = _Copies(target)
    listed = [path for path in (*_listed(), *_public()) if wanted(path) and not copies.hold(path)]
    for path in listed:
        if _differs(path, target / path):
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target / path)
    for gone in sorted(_copied(target) - set(listed)):
        (target / gone).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # of a folder that holds something
            os.removedirs((target / gone).parent)
    (target / _COPIED).parent.mkdir(parents=True, exist_ok=True)
    (target / _COPIED).write_text("\n".join(map(str, listed)) + "\n", encoding="utf-8")
    record(target)
    (target / ".dvc").mkdir(exist_ok=True)
    # as `dvc config --local core.no_scm true` writes it, in milliseconds: the copy is no git repository
    (target / ".dvc/config.local").write_text("[core]\n    no_scm = True\n", encoding="utf-8")


def is_copy(folder: Path) -> bool:
    """Whether `copy` made a folder."""
    return (folder / _COPIED).is_file()


def new() -> list[Path]:
    """The files of the working tree that git neither tracks nor ignores."""
    return _git("--others", "--exclude-standard")


def reproduce(folder: Path, environment: Mapping[str, str] = os.environ) -> int:
    """`dvc repro` in a copy; returns its exit code, 1 if it ends without a report."""
    quiet = {"OMP_WAIT_POLICY": "PASSIVE"}  # spinning threads of two processes can cost seventy times
    code = subprocess.run(["dvc", "repro"], cwd=folder, env=quiet | dict(environment), check=False).returncode
    return code or int(not (folder / paths.REPORTS / "index.html").is_file())


class _Copies:
    """The copies that lie in the working tree."""

    def __init__(self, target: Path) -> None:
        self.known = {target.absolute(): True, Path.cwd(): False}

    def hold(self, path: Path) -> bool:
        """Whether a file of the working tree is in one of them."""
        return any(map(self._is_one, path.absolute().parents))

    def _is_one(self, folder: Path) -> bool:
        if folder not in self.known:
            self.known[folder] = is_copy(folder)
        return self.known[folder]


def _listed() -> list[Path]:
    return [path for path in (*_git("--cached"), *new()) if path.is_file()]


def _git(*which: str) -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z", *which], capture_output=True, check=True).stdout.decode()
    return [Path(name) for name in names.split("\0") if name]


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
