"""The committed dvc.lock has the stages whose outputs travel in git, and no others."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

FILTER = ".dvc/shipped.awk"


@pytest.fixture(scope="module")
def locked(root: Path) -> dict[str, Any]:
    """The stages of this checkout's dvc.lock, which has more after a run."""
    return stages((root / "dvc.lock").read_text())


def stages(text: str) -> dict[str, Any]:
    return yaml.load(text, Loader=yaml.CSafeLoader)["stages"]


def filtered(root: Path, text: str) -> str:
    command = ["awk", "-f", str(root / FILTER)]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def test_what_the_filter_keeps_is_what_git_has(root: Path, locked: dict[str, Any]) -> None:
    if not (root / ".git").exists():
        pytest.skip("no git repository")
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True).stdout
    in_git = {place.as_posix() for file in listed.split("\n") for place in (Path(file), *Path(file).parents)}
    shipped = {name: own for name, own in locked.items() if all(out["path"] in in_git for out in own["outs"])}
    kept = stages(filtered(root, (root / "dvc.lock").read_text()))
    assert list(kept) == list(shipped)
    assert kept == shipped
    assert {"train_codec", "publish@richspace", "published", "reference", "trial@tokens"} <= set(kept)


def test_stages_that_each_machine_runs_are_left_out(root: Path) -> None:
    text = (root / "dvc.lock").read_text()
    own = (
        "  {}:\n    cmd: python\n    deps:\n    - path: models/world/codec\n    outs:\n    - path: {}\n      size: 1\n"
    )
    machines = {"evaluate": "data/results", "weights": "models/public", "report": "reports", "embed@x": "data/x"}
    run = "".join(own.format(name, out) for name, out in machines.items())
    assert filtered(root, text.rstrip("\n") + "\n" + run) == filtered(root, text)


def test_anchors_are_numbered_as_if_the_other_stages_were_not_there(root: Path) -> None:
    entry = "  x:\n    params:\n      a: &id00{}\n        x: 1\n      b: *id00{}\n    outs:\n    - path: {}\n"
    machine, second, first = (entry.format(*own) for own in ((1, 1, "data/x"), (2, 2, "models/x"), (1, 1, "models/x")))
    assert filtered(root, f"stages:\n{machine}{second}") == f"stages:\n{first}"


def test_an_anchor_of_a_stage_that_is_left_out_fails(root: Path) -> None:
    machine = "  a:\n    params:\n      a: &id001\n        x: 1\n    outs:\n    - path: data/a\n"
    shipped = "  b:\n    params:\n      b: *id001\n    outs:\n    - path: models/b\n"
    with pytest.raises(subprocess.CalledProcessError):
        filtered(root, f"stages:\n{machine}{shipped}")


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", "||||||| 1a2b3c4", "=======", ">>>>>>> theirs"])
def test_a_conflict_fails(root: Path, mark: str) -> None:
    """Whatever stage it stands in."""
    entry = "  a:\n    outs:\n    - path: {}/a\n{}\n      md5: 1\n"
    for folder in ("data", "models"):
        with pytest.raises(subprocess.CalledProcessError):
            filtered(root, "stages:\n" + entry.format(folder, mark))


def test_filtering_twice_is_filtering_once(root: Path) -> None:
    once = filtered(root, (root / "dvc.lock").read_text())
    assert filtered(root, once) == once


def test_git_is_told_to_filter_the_lock(root: Path) -> None:
    assert "dvc.lock filter=shipped" in (root / ".gitattributes").read_text().split("\n")


def test_make_turns_the_filter_on_whatever_it_is_asked_for(root: Path, tmp_path: Path) -> None:
    """A clone whose environment is there already."""
    shutil.copy(root / "Makefile", tmp_path)
    for name in ("requirements.lock", "requirements-torch.txt", "pyproject.toml", ".venv/.ready"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    assert run(tmp_path, "git", "config", "--list").count("filter.shipped.clean") == 0
    run(tmp_path, "make", ".venv/.ready")
    assert run(tmp_path, "git", "config", "filter.shipped.clean") == f"awk -f {FILTER}\n"
    for target in ("report", "test", "smoke", "lint"):
        assert "git config filter.shipped.clean" in run(tmp_path, "make", "--dry-run", target), target


def run(folder: Path, *command: str) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
