"""external: videos of others enter the comparison as they are, with their captions as prompts."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from metrics.reading.errors import VideoError
from metrics.reading.video import read_all
from pipeline.clips import ledger
from pipeline.clips.external import External
from pipeline.clips.generation import generate
from pipeline.clips.superseded import Superseded
from pipeline.config import paths
from pipeline.config.params import Params


def external(folder: Path, captions: Path, mixtures: dict[str, str] | None = None) -> External:
    return External(folder, captions, 8, mixtures or {})


def aside(folder: Path) -> Superseded:
    return Superseded(folder / "aside")


@pytest.fixture
def folder(tmp_path: Path, shared: Path) -> Path:
    place = tmp_path / "videos"
    (place / "sub").mkdir(parents=True)
    (place / "g01.mp4").write_bytes((shared / "data/clips/generated/g01.mp4").read_bytes())
    np.save(place / "sub/red-s2.npy", np.full((5, 16, 16, 3), 7, np.uint8))
    (tmp_path / "c.csv").write_text('file,caption\ng01.mp4,"A worker, sandblasting."\nred-s2,Red.\ngone,Nothing.\n')
    return tmp_path


def test_videos_come_as_they_are_and_arrays_losslessly(folder: Path) -> None:
    entries = generate("ext", external(folder / "videos", folder / "c.csv"), folder / "out", aside(folder), batch=2)
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
    generate("ext", external(folder / "videos", folder / "c.csv"), folder / "out", aside(folder), batch=2)
    before = (folder / "out/g01.mp4").stat().st_mtime_ns
    np.save(folder / "videos/sub/red-s2.npy", np.full((5, 16, 16, 3), 9, np.uint8))
    generate("ext", external(folder / "videos", folder / "c.csv"), folder / "out", aside(folder), batch=2)
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


def test_a_video_that_cannot_be_imported_has_failed(folder: Path) -> None:
    (folder / "videos/lost.mp4").symlink_to(folder / "nowhere.mp4")
    np.save(folder / "videos/thin.npy", np.zeros((5, 16, 1, 3), np.uint8))
    maker = external(folder / "videos", folder / "c.csv")
    entries = {entry.clip: entry for entry in generate("ext", maker, folder / "out", aside(folder), 4)}
    assert entries["g01"].outcome == ledger.OK
    assert "W >= 2" in entries["thin"].outcome
    assert "lost" not in entries  # a link to nowhere is no file


def test_parameters_name_each_kind_once(root: Path) -> None:
    wanted = yaml.safe_load((root / "params.yaml").read_text())
    wanted["generate"]["external"] = {"lvdm": {"clips": "a", "captions": "b.csv"}}
    generate = Params.model_validate(wanted).generate
    assert set(generate.evaluated) > {"lvdm", "richspace"}
    assert generate.folder("lvdm") == paths.clips("external", "lvdm")
    wanted["generate"]["external"]["richspace"] = {"clips": "a", "captions": "b.csv"}
    with pytest.raises(
        ValueError, match=r"generate\.external names \['richspace'\], which generate\.methods has already"
    ):
        Params.model_validate(wanted)


def test_videos_of_others_go_through_the_dag(
    root: Path, tmp_path: Path, shared: Path, i3d_weights: Path, minilm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stages themselves: imported, featured and evaluated against the reference that is shipped."""
    for name in ("models", "prompts", "pipeline"):
        (tmp_path / name).symlink_to(root / name)
    wanted = yaml.safe_load((root / "params.yaml").read_text())
    videos = shared / "data/clips/generated"
    folder = {"clips": str(videos), "captions": str(videos / "captions.csv")}
    wanted["generate"]["external"] = {"cog": folder, "real": folder}
    for method in wanted["generate"]["methods"].values():
        method["evaluate"] = False
    wanted["evaluate"] |= {"comparisons": [], "resamples": 20}
    wanted["harivo"]["ablation"] = {}
    wanted["harivo"]["sweep"]["points"] = {}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(wanted))
    monkeypatch.chdir(tmp_path)

    def run(stage: str, *arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", [stage, *arguments])
        import_module(f"stages.{stage}").main()

    for stage in (["prompts"], ["external", "cog"], ["external", "real"], ["features"], ["evaluate"]):
        run(*stage)
    results = pd.read_csv(tmp_path / "data/results/metrics.csv")
    assert results.method.unique().tolist() == ["cog", "real"]
    metrics = results[results.method == "cog"].set_index("metric")
    assert metrics.scored.tolist() == [10] * len(metrics)
    assert metrics.asked.unique().tolist() == ["videos"]
    assert metrics.flag["fvd"] == "n = 10 < 401"
    assert np.isnan(metrics.value["parameters"])
    assert np.isnan(metrics.value["frames_per_second"])
    table = pd.read_csv(tmp_path / "data/features/cog/clips.csv")
    assert table.codec.unique().tolist() == ["h264"]
    assert table.caption[5].startswith("A potter wedges clay")

    wanted["evaluate"]["reference"] = "real"  # the same videos: no distance
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(wanted))
    run("evaluate")
    against = pd.read_csv(tmp_path / "data/results/metrics.csv").set_index("metric")
    assert against.method.unique().tolist() == ["cog"]
    assert metrics.value["fvd"] > 1000
    assert against.value["fvd"] == pytest.approx(0, abs=1e-2)
