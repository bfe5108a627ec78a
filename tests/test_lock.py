"""The committed dvc.lock has the stages whose outputs travel in git, and no others."""

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


def test_filtering_twice_is_filtering_once(root: Path) -> None:
    once = filtered(root, (root / "dvc.lock").read_text())
    assert filtered(root, once) == once


def test_git_is_told_to_filter_the_lock(root: Path) -> None:
    assert "dvc.lock filter=shipped" in (root / ".gitattributes").read_text().split("\n")
    assert f"filter.shipped.clean 'awk -f {FILTER}'" in (root / "Makefile").read_text()
