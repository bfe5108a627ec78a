from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.commands.cli import app
from pipeline.config import paths
from pipeline.world.captions import captions
from pipeline.world.render import render
from pipeline.world.scene import draw


@pytest.fixture
def collection(tmp_path: Path, minilm: Path) -> Path:
    """Eight videos; the captions of the last two are swapped."""
    names, scenes = draw(8, 12)
    texts = captions(names, 12)
    np.save(tmp_path / "v.npy", render(scenes))
    ids = [f"{i:05}" for i in range(8)]
    pd.DataFrame({"clip": ids, "caption": [*texts[:6], texts[7], texts[6]]}).to_csv(tmp_path / "c.csv", index=False)
    return tmp_path


def call(folder: Path, *arguments: object) -> tuple[int, str]:
    texts = ["filter", "--videos", folder / "v.npy", "--captions", folder / "c.csv", "--workers", 0, "--no-cache"]
    clip = ("--clip", paths.ROOT / paths.world_model("clip"))
    done = CliRunner().invoke(app, [str(text) for text in (*texts, *clip, *arguments)], env={"COLUMNS": "200"})
    return done.exit_code, done.output


def test_swapped_captions_are_dropped(collection: Path) -> None:
    out, kept = collection / "all.csv", collection / "kept.csv"
    code, said = call(collection, "--ratio", 0.75, "--out", out, "--kept", kept)
    assert code == 0, said
    assert "6 of 8 videos are kept" in said
    assert said.count("less than the threshold") == 2
    table = pd.read_csv(out)
    assert table.kept.tolist() == [True] * 6 + [False] * 2
    assert pd.read_csv(kept)["clip"].tolist() == table["clip"][:6].tolist()


def test_what_is_kept_can_be_filtered_again(collection: Path) -> None:
    """The file of what is kept is a file of captions."""
    kept = collection / "kept.csv"
    call(collection, "--ratio", 0.75, "--kept", kept)
    code, said = call(collection, "--captions", kept, "--ratio", 1)
    assert code == 0, said
    assert "6 of 8 videos are kept" in said
    assert said.count("has no caption") == 2


def test_errors_are_one_sentence(collection: Path) -> None:
    code, said = call(collection, "--ratio", 1.5)
    assert code == 1
    assert "the ratio of videos to keep is 1.5, expected more than 0 and at most 1" in said
    code, said = call(collection, "--ratio", 1, "--captions", collection / "none.csv")
    assert code == 1
    assert "none.csv: no such file" in said
    videos = ["--videos", str(collection), "--captions", str(collection / "c.csv"), "--ratio", "1"]
    done = CliRunner().invoke(app, ["filter", *videos], env={"COLUMNS": "200"})
    assert done.exit_code == 1
    assert "the filter needs --clip FOLDER, a CLIP checkpoint" in done.output
