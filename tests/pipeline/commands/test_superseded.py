"""The command `superseded`: what is set aside, and how to be rid of it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.clips.generation import generate
from pipeline.clips.superseded import Superseded
from pipeline.commands.cli import app
from pipeline.config import paths
from tests.pipeline.clips.test_superseded import Shade


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["superseded", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_it_lists_by_method_and_empties(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert said() == "no clips are set aside\n"
    for name, clips in (("toy", 3), ("other", 2)):
        for shade in (1, 2):
            generate(name, Shade(shade, clips), paths.clips("world", name), Superseded(paths.SUPERSEDED), batch=2)
    counts = {line.split("│")[1].strip(): line.split("│")[2].strip() for line in said().splitlines() if "│" in line}
    assert counts == {"toy": "3", "other": "2"}
    assert said("--empty") == "5 clips deleted\n"
    assert said() == "no clips are set aside\n"
    assert len(list(paths.clips("world", "toy").glob("*.mkv"))) == 3
