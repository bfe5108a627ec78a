"""Which figures want to be published again, and that the shipped ones are of the shipped weights."""

import shutil
from pathlib import Path

import pytest

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
    for name in ("pipeline", "models"):
        (tmp_path / name).symlink_to(root / name)
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(paths.published(missing))
    behind = manifest.read(paths.published(other))
    manifest.write(paths.published(other), behind.model_copy(update={"weights": "else"}))
    assert publishing.outdated(wanted) == [other, missing]
    with pytest.raises(FileNotFoundError, match=f"manifest.json not found: run `reelbench publish {missing}`"):
        publishing.run([other])  # before the first clip: all are evaluated together


def test_a_name_that_is_not_published_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    with pytest.raises(ValueError, match=r"published\.methods has no 'nowhere', expected some of cogvideox"):
        publishing.run(["nowhere"])
