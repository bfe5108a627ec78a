"""`reelbench compare` and `--cluster` on real files, as a user calls them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metrics.reading.video import read_all
from tests.pipeline.commands.test_scoring import CLIP, OF_CLIP, QUICK, call, encode

NAMES = ("g00", "g01", "g02", "g03")


@pytest.fixture(scope="module")
def sides(shared: Path, i3d_weights: Path, minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders a and b: four generated clips as they are and hard compressed, in b one more; captions, two alike."""
    folder = tmp_path_factory.mktemp("sides")
    for name, crf in (("a", 20), ("b", 45)):
        (folder / name).mkdir()
        for clip in NAMES if name == "a" else (*NAMES, "g04"):
            frames = read_all(shared / f"data/clips/generated/{clip}.mp4")[:9]
            encode(folder / f"{name}/{clip}.mp4", frames[:, :240, :320], crf)
    texts = [f"A caption of {i // 2}." for i in range(5)]
    pd.DataFrame({"file": [*NAMES, "g04"], "caption": texts, "kind": list("xxxyy")}).to_csv(
        folder / "c.csv", index=False
    )
    return folder


def test_two_folders_against_real_clips(sides: Path, shared: Path, tmp_path: Path) -> None:
    real = {"real": shared / "data/clips/torchvision", "captions": sides / "c.csv"}
    options = {**real, "clip": CLIP, "cache": sides / "cache", "out": tmp_path / "new/d.json", "resamples": 50}
    done = call("compare", sides / "a", sides / "b", *QUICK, options=options)
    assert done.exit_code == 0, done.output
    assert f"made the folder {tmp_path / 'new'}" in done.output
    found = json.loads((tmp_path / "new/d.json").read_text())
    assert found["schema"] == "reelbench.compare/2"
    assert list(found["run"]["inputs"]) == ["a", "b", "real", "captions", "clip"]
    values = {one["metric"]: one for one in found["differences"]}
    assert list(values) == ["fvd", "kvd", "clipsim", "clip_score", "frame_consistency"]
    assert all((one["pairs"], one["clusters"]) == (4, 2) for one in values.values())
    assert values["clipsim"]["p"] >= 0.5  # two prompts: no flip of them is rarer
    assert values["fvd"]["flag"] == "n = 4 < 401"
    assert values["kvd"]["flag"] == "n = 4 < 16"
    assert values["clipsim"]["flag"] == "toy world's own encoder"
    assert found["b"]["alone"] == ["g04"]
    assert "only in" in done.output and "g04" in done.output
    assert "4 pairs of 2 clusters" in done.output and "Corrected by Holm for all metrics" in done.output


def test_results_of_score_are_compared(sides: Path, tmp_path: Path) -> None:
    for name in "ab":
        options = {"gen": sides / name, "captions": sides / "c.csv", "cache": sides / "cache", "clip": CLIP}
        done = call("score", *QUICK, options={**options, "out": tmp_path / f"{name}.json", "resamples": 50})
        assert done.exit_code == 0, done.output
    assert "intervals draw 3 clusters (prompt)" in done.output
    done = call("compare", tmp_path / "a.json", tmp_path / "b.json", "--out", tmp_path / "d.json")
    assert done.exit_code == 0, done.output
    of_results = json.loads((tmp_path / "d.json").read_text())["differences"]
    options = {"captions": sides / "c.csv", "cache": sides / "cache", "clip": CLIP, "out": tmp_path / "e.json"}
    done = call("compare", sides / "a", sides / "b", *QUICK, options=options)
    assert done.exit_code == 0, done.output
    of_videos = json.loads((tmp_path / "e.json").read_text())["differences"]
    assert [one["metric"] for one in of_results] == OF_CLIP
    assert of_results == of_videos


def test_scores_draw_what_is_asked_for(sides: Path, tmp_path: Path) -> None:
    clusters, widths = {}, {}
    for cluster in ("prompt", "none", "kind"):
        options = {"gen": sides / "b", "captions": sides / "c.csv", "cache": sides / "cache", "cluster": cluster}
        done = call(
            "score", *QUICK, options={**options, "clip": CLIP, "out": tmp_path / "r.json", "metrics": "clipsim"}
        )
        assert done.exit_code == 0, done.output
        found = json.loads((tmp_path / "r.json").read_text())
        clusters[cluster] = found["cluster"], found["clusters"]
        (value,) = found["values"]
        widths[cluster] = value["high"] - value["low"]
    assert clusters == {"prompt": ("prompt", 3), "none": ("none", None), "kind": ("kind", 2)}
    assert len(set(widths.values())) == 3
    again = ("compare", tmp_path / "r.json", tmp_path / "r.json", "--out", tmp_path / "d.json", "--cluster")
    assert call(*again, "kind").exit_code == 0  # as it was scored
    assert json.loads((tmp_path / "d.json").read_text())["differences"][0]["clusters"] == 2
    refused = call(*again, "scene")
    assert refused.exit_code == 1 and "no column 'scene' (--cluster)" in " ".join(refused.output.split())


def test_what_cannot_be_compared_is_one_sentence(sides: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    pd.DataFrame({"clip": NAMES, "shown": np.arange(4) % 2}).to_csv(table, index=False)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/o.mp4").write_bytes(b"names are compared before anything is decoded")
    for arguments, message in (
        ([table, tmp_path / "none.csv"], "none.csv: no such file"),
        ([table, table, "--captions", sides / "c.csv"], "--captions: both sides are files of values, which use none"),
        ([sides / "a", sides / "b", "--metrics", "fvd"], "fvd needs --real DIR or --real-stats FILE"),
        ([sides / "a", tmp_path / "none"], "none: no such file or folder"),
        ([sides / "a", tmp_path / "other", "--clip", CLIP], "no clip is in both:"),
        ([sides / "a", sides / "b", "--clip", CLIP, "--cluster", "kind"], "--cluster kind is a field of the captions"),
        ([sides / "a", sides / "b"], "nothing to compute: fvd and kvd need --real DIR"),
        ([sides / "a", sides / "b", "--metrics", "frame_consistency"], "frame_consistency needs --clip FOLDER"),
        ([table, table, "--out", tmp_path / "d.csv"], "d.csv: expected a name that ends in .json"),
    ):
        done = call("compare", *arguments, "--cache", sides / "cache")
        assert done.exit_code == 1, done.output
        assert message in " ".join(done.output.split())
    table.write_bytes(b"clip\n\xff")
    done = call("compare", table, table)
    assert done.exit_code == 1 and "t.csv: cannot be read as a table" in done.output
    pd.DataFrame({"clip": NAMES, "shown": np.arange(4) % 2}).to_csv(table, index=False)
    done = call("compare", table, table)
    assert done.exit_code == 0, done.output
    assert "50.0 %" in done.output and "signs of whole clips flipped" in done.output
