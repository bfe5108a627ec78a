"""Which figures want to be published again, and that the shipped ones are of the shipped weights."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import yaml

from pipeline.commands import publishing
from pipeline.config import params, paths
from pipeline.published import figures, manifest


def test_the_published_figures_are_of_the_shipped_weights(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    wanted = params.load()
    assert publishing.outdated(wanted) == []
    for name in wanted.published.methods:
        own, behind = figures.read(name), manifest.read(paths.published(name))
        assert set(own.table.weights) == {behind.weights}
        assert own.counts["scored"] == own.counts["requested"] == behind.requested


def test_figures_of_other_weights_and_missing_ones_are_outdated(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = params.load(root / paths.PARAMS)
    other, missing, *_ = wanted.published.methods
    shutil.copytree(root / paths.PUBLISHED, tmp_path / paths.PUBLISHED)
    for name in ("pipeline", "models", "params.yaml"):
        (tmp_path / name).symlink_to(root / name)
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(paths.published(missing))
    behind = manifest.read(paths.published(other))
    manifest.write(paths.published(other), behind.model_copy(update={"weights": "else"}))
    assert publishing.outdated(wanted) == [other, missing]
    with pytest.raises(FileNotFoundError, match=f"{missing}: no figures, .*`reelbench publish {other} {missing}`"):
        publishing.run([other])  # before the first clip: all are evaluated together


def test_spoilt_figures_are_outdated(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = params.load(root / paths.PARAMS)
    first, second, third, *_ = wanted.published.methods
    shutil.copytree(root / paths.PUBLISHED, tmp_path / paths.PUBLISHED)
    for name in ("pipeline", "models"):
        (tmp_path / name).symlink_to(root / name)
    monkeypatch.chdir(tmp_path)
    (paths.published(first) / "clips.csv").write_text("clip\n")
    (paths.published(second) / "features.safetensors").unlink()
    (paths.published(third) / manifest.FILE).write_text("{}")
    assert publishing.outdated(wanted) == [first, second, third]


def test_the_lock_file_vouches_for_the_shipped_figures(root: Path) -> None:
    """By DVC's digest of a folder: of the list of its files with their digests."""
    stages = yaml.safe_load((root / paths.LOCK).read_text())["stages"]
    for name in params.load(root / paths.PARAMS).published.methods:
        (out,) = stages[f"publish@{name}"]["outs"]
        files = sorted((root / out["path"]).iterdir())
        listed = [{"md5": hashlib.md5(file.read_bytes()).hexdigest(), "relpath": file.name} for file in files]
        digest = hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest()
        assert out["md5"] == f"{digest}.dir", name


def test_a_name_that_is_not_published_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    with pytest.raises(ValueError, match=r"published\.methods has no 'nowhere', expected some of cogvideox"):
        publishing.run(["nowhere"])
