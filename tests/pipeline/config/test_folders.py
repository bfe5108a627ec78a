"""Folders that are whole under their name, or as they were."""

from pathlib import Path

import pytest

from pipeline.config.folders import replaced


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_folder_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    for content in ("old", "new"):
        with replaced(tmp_path / "x") as aside:
            (aside / content).touch()
            assert not (tmp_path / "x" / content).exists()
    assert (names(tmp_path), names(tmp_path / "x")) == (["x"], ["new"])


def test_after_an_error_the_old_folder_is_there(tmp_path: Path) -> None:
    with replaced(tmp_path / "x") as aside:
        (aside / "old").touch()
    with pytest.raises(RuntimeError, match="killed"), replaced(tmp_path / "x") as aside:
        (aside / "half").touch()
        raise RuntimeError("killed")
    assert names(tmp_path / "x") == ["old"]
    with replaced(tmp_path / "x") as aside:
        assert names(aside) == []  # nothing of the killed one
        (aside / "new").touch()
    assert (names(tmp_path), names(tmp_path / "x")) == (["x"], ["new"])
