"""external: videos of others enter the comparison as they are, with their captions as prompts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from metrics.video import VideoError, read_all
from pipeline import ledger
from pipeline.generation import generate
from pipeline.methods.base import Context, build
from pipeline.methods.external import External
from pipeline.params import Method, load


def external(folder: Path, captions: Path, mixtures: dict[str, str] | None = None) -> External:
    return External(folder, captions, 8, mixtures or {})


@pytest.fixture
def folder(tmp_path: Path, shared: Path) -> Path:
    place = tmp_path / "videos"
    (place / "sub").mkdir(parents=True)
    (place / "g01.mp4").write_bytes((shared / "data/clips/generated/g01.mp4").read_bytes())
    np.save(place / "sub/red-s2.npy", np.full((5, 16, 16, 3), 7, np.uint8))
    (tmp_path / "c.csv").write_text('file,caption\ng01.mp4,"A worker, sandblasting."\nred-s2,Red.\ngone,Nothing.\n')
    return tmp_path


def test_videos_come_as_they_are_and_arrays_losslessly(folder: Path) -> None:
    entries = generate("ext", external(folder / "videos", folder / "c.csv"), folder / "out", batch=2)
    assert {entry.clip: entry.outcome for entry in entries} == {
        "g01": ledger.OK,
        "gone": "VideoError: no video for the caption of gone",
        "sub-red-s2": ledger.OK,
    }
    assert [entry.file for entry in entries] == ["g01.mp4", "gone.mkv", "sub-red-s2.mkv"]
    assert entries[0].caption == entries[0].prompt == "A worker, sandblasting."
    assert (folder / "out/g01.mp4").read_bytes() == (folder / "videos/g01.mp4").read_bytes()
    assert np.array_equal(read_all(folder / "out/sub-red-s2.mkv"), np.full((5, 16, 16, 3), 7, np.uint8))


def test_a_second_run_brings_only_what_changed(folder: Path) -> None:
    generate("ext", external(folder / "videos", folder / "c.csv"), folder / "out", batch=2)
    before = (folder / "out/g01.mp4").stat().st_mtime_ns
    np.save(folder / "videos/sub/red-s2.npy", np.full((5, 16, 16, 3), 9, np.uint8))
    generate("ext", external(folder / "videos", folder / "c.csv"), folder / "out", batch=2)
    assert (folder / "out/g01.mp4").stat().st_mtime_ns == before
    assert read_all(folder / "out/sub-red-s2.mkv").max() == 9


def test_a_video_named_like_a_mixtures_clip_counts_as_one(folder: Path) -> None:
    (folder / "videos/sub/red-s2.npy").rename(folder / "videos/red-s2.npy")
    jobs = {job.clip: job for job in external(folder / "videos", folder / "c.csv", {"red": "world/red"}).jobs()}
    assert (jobs["red-s2"].mixture, jobs["red-s2"].seed) == ("world/red", 2)
    assert (jobs["g01"].mixture, jobs["g01"].seed) == ("", 0)


def test_videos_without_a_caption_are_kept_and_said(folder: Path) -> None:
    (folder / "c.csv").write_text("file,caption\ng01,x\n")
    jobs = external(folder / "videos", folder / "c.csv").jobs()
    assert [(job.clip, job.caption) for job in jobs] == [("g01", "x"), ("sub-red-s2", "")]


def test_names_that_cannot_be_told_apart_are_refused(folder: Path) -> None:
    np.save(folder / "videos/sub-red-s2.npy", np.zeros((5, 16, 16, 3), np.uint8))
    with pytest.raises(VideoError, match="differ only in signs"):
        external(folder / "videos", folder / "c.csv")


def test_options_are_checked(root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    monkeypatch.setattr("pipeline.methods.base.read_tables", lambda *_: ({}, []))
    wanted = load().generate
    module = "pipeline/methods/external.py"
    good = {"module": module, "clips": str(folder / "videos"), "captions": str(folder / "c.csv")}
    context = Context("ext", Method(**good), wanted, 30)
    assert isinstance(build(context), External)
    for change, message in (({"clips": None}, r"methods\.ext\.clips is None, expected a path"),
                            ({"fps": 0}, r"methods\.ext\.fps is 0, expected a whole number")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            build(replace(context, params=Method(**(good | change))))
