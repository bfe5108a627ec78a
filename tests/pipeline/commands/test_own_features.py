"""`score`, `stats` and `distances` on networks and features of the user's, as a user calls them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from click.testing import Result
from safetensors.numpy import load_file
from typer.testing import CliRunner

from metrics.distances.fvd import fvd
from metrics.distances.jedi import jedi
from metrics.networks.own import fitted, load_own
from pipeline.commands.cli import app
from tests.metrics.networks.networks import Moments, scripted, videomae

SETS = "fvd,kvd,jedi,precision,recall,density,coverage"


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "240"})


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight and nine clips of six frames, of which a network may want four."""
    root, rng = tmp_path_factory.mktemp("videos"), np.random.default_rng(0)
    for side, n in (("gen", 8), ("real", 9)):
        (root / side).mkdir()
        for i in range(n):
            ground = rng.integers(0, 256, (6, 5, 6, 3)).repeat(8, axis=1).repeat(8, axis=2)
            np.save(root / f"{side}/c{i}.npy", ground.astype(np.uint8))
    return root


def clips(folder: Path, frames: int) -> list[np.ndarray]:
    return [np.load(path)[:frames] for path in sorted(folder.iterdir())]


def values(path: Path) -> dict[str, dict[str, object]]:
    return {value["metric"]: value for value in json.loads(path.read_text())["values"]}


def test_a_transformers_folder_in_i3ds_place(videos: Path, tmp_path: Path) -> None:
    """Its number of frames is taken, statistics serve as the folder does, and saved features give the same."""
    videomae(tmp_path / "mae")
    network = ("--network", tmp_path / "mae", "--cache", tmp_path / "cache")
    real, stats = videos / "real", tmp_path / "real.safetensors"
    made = call("stats", "--real", real, "--out", stats, *network, "--workers", 0)
    assert made.exit_code == 0, made.output
    common = ("--gen", videos / "gen", *network, "--metrics", SETS, "--workers", 2, "--resamples", 20)
    for name, side in (("folder", ("--real", real)), ("stats", ("--real-stats", stats))):
        done = call("score", *common, *side, "--out", tmp_path / f"{name}.json")
        assert done.exit_code == 0, done.output
    assert "own transformers network, BTCHW, output penultimate" in done.output
    assert "short side to 32, centre crop, 32x32, bilinear, antialias" in done.output
    found = values(tmp_path / "folder.json")
    assert found == values(tmp_path / "stats.json")
    loaded = load_own(tmp_path / "mae", 4)
    gen, theirs = (
        np.stack([one["features"] for one in loaded.features([loaded.prepare(c) for c in clips(videos / side, 4)])])
        for side in ("gen", "real")
    )
    assert found["fvd"]["value"] == pytest.approx(fvd(gen, theirs), rel=1e-4)
    assert found["jedi"]["value"] == pytest.approx(jedi(gen, theirs), rel=1e-4, abs=1e-7)
    assert found["fvd"]["flag"] == "features of your own; n = 8 < 17"
    np.testing.assert_allclose(load_file(stats)["i3d"], theirs, rtol=1e-4, atol=1e-5)
    np.save(tmp_path / "gen.npy", gen)
    done = call("distances", tmp_path / "gen.npy", stats, "--out", tmp_path / "saved.json", "--resamples", 20)
    assert done.exit_code == 0, done.output
    saved = values(tmp_path / "saved.json")
    for name in SETS.split(","):
        assert saved[name]["value"] == pytest.approx(found[name]["value"], rel=1e-4, abs=1e-7)
    other = call("score", *common, "--real-stats", stats, "--frames", 4, "--stride", 1, "--start", 1)
    assert other.exit_code == 1 and "make the statistics again" in other.output


def test_sides_are_compared_on_features_of_ones_own(videos: Path, tmp_path: Path) -> None:
    videomae(tmp_path / "mae")
    sides = (videos / "gen", videos / "real", "--real", videos / "real", "--out", tmp_path / "d.json")
    done = call("compare", *sides, "--network", tmp_path / "mae", "--no-cache", "--workers", 0, "--metrics", "fvd,kvd")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "d.json").read_text())["differences"]
    assert [(one["metric"], one["pairs"]) for one in found] == [("fvd", 8), ("kvd", 8)]
    assert found[0]["flag"] == "features of your own; n = 8 < 17"
    assert found[1]["flag"] == "features of your own; n = 8 < 16"


def test_a_torchscript_network_of_images(videos: Path, tmp_path: Path) -> None:
    """FID over frames: all frames of a clip are of one clip."""
    scripted(tmp_path / "net.pt", Moments())
    spec = {"kind": "torchscript", "path": "net.pt", "layout": "BCHW", "size": [16, 20], "range": [-1, 1]}
    (tmp_path / "net.yaml").write_text(yaml.safe_dump(spec))
    sides = ("--gen", videos / "gen", "--real", videos / "real", "--out", tmp_path / "r.json", "--no-cache")
    done = call("score", *sides, "--network", tmp_path / "net.yaml", "--frames", 6, "--metrics", SETS, "--workers", 0)
    assert done.exit_code == 0, done.output
    loaded = load_own(tmp_path / "net.yaml", 6)
    gen, real = (
        Moments()(torch.cat([fitted(torch.from_numpy(c), loaded.spec) for c in clips(videos / side, 6)]) / 127.5 - 1)
        for side in ("gen", "real")
    )
    found = values(tmp_path / "r.json")
    assert found["fvd"]["value"] == pytest.approx(fvd(gen.numpy(), real.numpy()), rel=1e-3, abs=1e-6)
    assert (found["fvd"]["n_gen"], found["fvd"]["flag"]) == (8, "features of your own")
    assert found["fvd"]["low"] <= found["fvd"]["value"] <= found["fvd"]["high"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--network", "{here}/none"), "none: no such file or folder"),
        (("--network", "{here}/mae", "--frames", "5"), "takes 4 frames, and clips have 5: --frames 4"),
        (("--network", "{here}/mae", "--i3d", "x"), "--network takes I3D's place"),
        (("--network", "{here}/mae", "--precision", "bfloat16"), "--network takes I3D's place"),
        (("--flow", "{here}/none.pt", "--metrics", "warping_error"), "none.pt: no such file"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_read(
    videos: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    videomae(tmp_path / "mae")
    given = [text.format(here=tmp_path) for text in arguments]
    metrics = [] if "--metrics" in given else ["--metrics", "fvd"]
    done = call("score", "--gen", videos / "gen", "--real", videos / "real", *metrics, *given)
    assert done.exit_code == 1
    assert said in done.output.replace("\n", "")


def test_distances_are_of_features(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.eye(5))
    done = call("distances", tmp_path / "a.npy", tmp_path / "a.npy", "--metrics", "clipsim")
    assert done.exit_code == 1 and "clipsim is no distance of features" in done.output
    done = call("distances", tmp_path / "a.npy", tmp_path / "b.npy")
    assert done.exit_code == 1 and "b.npy: no such file" in done.output
    done = call("distances", tmp_path / "a.npy", tmp_path / "a.npy", "--out", tmp_path / "d.json", "--resamples", 20)
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "d.json").read_text())
    assert found["cluster"] == "none"
    assert found["run"]["inputs"] == dict.fromkeys(("gen", "real"), str(tmp_path / "a.npy"))
    assert [value["metric"] for value in found["values"]] == ["fvd", "kvd", "jedi", "precision", "recall"]
    assert found["missing"] == {"fvd_inf": "needs 1024 clips a side"} | dict.fromkeys(
        ("density", "coverage"), "needs 6 clips a side"
    )


def test_distances_of_small_features_have_digits(tmp_path: Path) -> None:
    """FVD goes with the square of the features' size: of a hundredth of these it was printed as 0.0."""
    features = np.random.default_rng(0).normal(size=(2, 30, 4)) * 0.01
    for name, side in zip("ab", features, strict=True):
        np.save(tmp_path / f"{name}.npy", side)
    done = call("distances", tmp_path / "a.npy", tmp_path / "b.npy", "--metrics", "fvd", "--resamples", 0)
    assert done.exit_code == 0, done.output
    assert f" {fvd(*features):.3g} " in done.output


def test_readings_of_pixels_are_asked_for_by_name(videos: Path, tmp_path: Path) -> None:
    names = ("temporal_flickering", "dynamic_degree", "warping_error")
    given = ("--gen", videos / "gen", "--frames", 6, "--no-cache", "--out", tmp_path / "r.json")
    done = call("score", *given, "--metrics", ",".join(names), "--workers", 2)
    assert done.exit_code == 0, done.output
    assert list(values(tmp_path / "r.json")) == list(names)
    assert "optical flow: DIS" in done.output
