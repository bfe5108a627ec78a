"""Every profile of a public checkpoint, whole: from the paper's prompts to the report, on folders of the real layout
made small, with random weights and the real tokenizers. Stages run one after the other in this process, as dvc.yaml of
the run names them; dvc itself runs them with REELBENCH_SLOW."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from diffusers import MotionAdapter
from torch import nn

from metrics.reading.video import read_all
from pipeline.clips import ledger
from pipeline.clips.files import write_clip
from pipeline.commands import running
from pipeline.config import params, paths, profiles
from pipeline.etc.unet import GridUNet
from pipeline.samplers import stable_diffusion
from tests.pipeline import tiny
from tests.pipeline.report.reading import Reader, words

SLOW = pytest.mark.skipif("REELBENCH_SLOW" not in os.environ, reason="some minutes (set REELBENCH_SLOW)")
SMALL = ["search.k=[30]", "features.batch=2", "features.workers=0", "generate.workers=1", "evaluate.resamples=20"]
RunStages = Callable[..., Path]


@pytest.fixture
def run_stages(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, i3d_weights: Path, minilm: Path
) -> RunStages:
    """Prepares a run of a profile with settings, and runs its stages; the folder."""

    def of(profile: str, settings: list[str], names: set[str] | None = None) -> Path:
        monkeypatch.chdir(root)
        folder = tmp_path / "run"
        values = profiles.with_settings(profiles.with_profile(params.read(), profile), [*SMALL, *settings])
        running.prepare(values, folder)
        monkeypatch.chdir(folder)
        for name, *arguments in commands(folder):
            if name != "track" and (names is None or name in names):  # MLflow's database takes longer than all else
                monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])
                importlib.import_module(f"stages.{name}").main()
        return folder

    return of


def commands(folder: Path) -> Iterator[list[str]]:
    """The stages of a run's dvc.yaml with their arguments, in its order, which is that of what they make."""
    values = params.read(folder / paths.PARAMS)
    for name, entry in yaml.safe_load((folder / paths.DAG).read_text())["stages"].items():
        items = [""]
        if "foreach" in entry:
            section = values
            for key in entry["foreach"].strip("${}").split("."):
                section = section[key]
            items = list(section)
        yield from ([name, item] if item else [name] for item in items)


def folders(key: str, folder: Path) -> list[str]:
    """Settings that name a checkpoint's folder for its encoder and its model."""
    encoder, model = key.split("/")
    return [f"embed.encoders.{encoder}.checkpoint={folder}", f"generate.models.{model}.checkpoint={folder}"]


def clips_of(folder: Path, model: str, method: str) -> list[ledger.Entry]:
    entries = list(ledger.read(folder / "data/clips" / model / method).values())
    assert entries
    assert {entry.outcome for entry in entries} == {ledger.OK}
    return entries


def values_of(folder: Path) -> pd.DataFrame:
    """Value, flag and counts by method and metric."""
    return pd.read_csv(folder / "data/results/metrics.csv").set_index(["method", "metric"])


@pytest.mark.parametrize("profile", ["cogvideox-2b", "cogvideox-5b"])
def test_cogvideox_with_labels_and_real_videos_of_ones_own(
    run_stages: RunStages, tokenizers: Path, clip_folder: Path, tmp_path: Path, profile: str
) -> None:
    checkpoint = tiny.cogvideox_checkpoint(tmp_path / "cogvideox", tokenizers, rotary=profile == "cogvideox-5b")
    settings = [
        *folders("t5/cogvideox", checkpoint),
        f"features.clip={clip_folder}",
        "generate.mixtures.limit=2",
        "generate.methods.strip.limit=1",
        "features.clips={frames: 9}",
        "generate.models.cogvideox.sampling={steps: 2, guidance: 6, frames: 9, height: 32, width: 32}",
        "generate.models.cogvideox.memory={dtype: bfloat16, tiling: true, slicing: true}",
    ]
    folder = run_stages(profile, settings)
    index = words(Reader(folder / "reports/index.html")).partition(" Pages #")[0]
    assert f"{checkpoint} (cogvideox, richspace, richspace_midpoint): " in index
    assert "clips of 9 × 32 × 32 (frames × height × width), 2 steps, prompt set richspace." in index
    assert "of 2 mixtures, and all values. Main numbers # richspace against cogvideox CLIPSIM" in index
    elsewhere = ("toy world", "HARIVO moves", "Came with", "No two methods")
    assert not [said for said in elsewhere if said in index]
    table = values_of(folder)
    assert {"clipsim", "frame_consistency"} <= set(table.loc["richspace"].index)
    assert not {"fvd", "success_rate"} & set(table.loc["richspace"].index)  # nothing real, and nobody to judge
    assert not list((folder / "models").glob("w*")) + list((folder / "models").glob("oracle"))
    made = {name: clips_of(folder, "cogvideox", name) for name in ("cogvideox", "richspace", "richspace_midpoint")}
    assert read_all(folder / "data/clips/cogvideox/richspace" / made["richspace"][0].file).shape == (9, 32, 32, 3)
    about = json.loads((folder / "data/clips/cogvideox/richspace/method.json").read_text())
    assert about["made_by"]["sampling"]["dtype"] == "bfloat16"

    labels, real = tmp_path / "labels.csv", tmp_path / "real"
    rows = [(name, one.clip, int(name == "richspace")) for name, entries in made.items() for one in entries]
    pd.DataFrame(rows, columns=["method", "clip", "shown"]).to_csv(labels, index=False)
    real.mkdir()
    for i in range(3):
        write_clip(real / f"{i}.mkv", np.random.default_rng(i).integers(0, 256, (9, 32, 32, 3), np.uint8), 8)
    further = [f"evaluate.labels={labels}", f"evaluate.reference={real}", "evaluate.metrics=[fvd, clipsim]"]
    run_stages(profile, [*settings, *further], {"features", "evaluate", "study", "report"})
    deps = yaml.safe_load((folder / "dvc.yaml").read_text())["stages"]
    assert (str(real) in deps["features"]["deps"], str(labels) in deps["evaluate"]["deps"]) == (True, True)
    table = values_of(folder)
    rates = table.value.xs("success_rate", level="metric")
    assert rates.to_dict() == {"cogvideox": 0, "richspace": 1, "richspace_midpoint": 0}
    assert "labels" in table.flag["richspace", "success_rate"]
    assert table.value["richspace", "fvd"] > 0
    tests = json.loads((folder / "data/results/evaluation.json").read_text())["success_tests"]
    assert [test["difference"] for test in tests] == [1, 1]
    page = words(Reader(folder / "reports/mixtures.html"))
    assert "2/2" in page
    assert f"by the labels in {labels};" in page
    assert f"FVD compares with {real} (evaluate.reference)." in words(Reader(folder / "reports/methods.html"))


def test_animatediff(run_stages: RunStages, stable_diffusion_folder: Path, clip_folder: Path, tmp_path: Path) -> None:
    motion, layers = tmp_path / "motion", {"motion_layers_per_block": 1, "motion_num_attention_heads": 2}
    MotionAdapter((8, 16), **layers, motion_norm_num_groups=4, motion_max_seq_length=16).save_pretrained(motion)
    settings = [
        *folders("clip_text/images", stable_diffusion_folder),
        f"features.clip={clip_folder}",
        f"generate.methods.animatediff.motion={motion}",
        "generate.prompts.limit=2",
        "generate.models.images.sampling={steps: 2, guidance: 7.5, frames: 16, height: 32, width: 32}",
    ]
    folder = run_stages("stable-diffusion-1-5-animatediff", settings)
    assert [len(clips_of(folder, "images", name)) for name in ("animatediff", "frames")] == [2, 2]
    assert {"clipsim", "frame_consistency"} <= set(values_of(folder).loc["animatediff"].index)
    assert "animatediff" in (folder / "reports/methods.html").read_text()


def test_modelscope(run_stages: RunStages, text_to_video_folder: Path, clip_folder: Path) -> None:
    settings = [
        *folders("clip_text/modelscope", text_to_video_folder),
        f"features.clip={clip_folder}",
        "generate.prompts.limit=2",
        "generate.models.modelscope.sampling={steps: 2, guidance: 9, frames: 16, height: 32, width: 32}",
    ]
    folder = run_stages("modelscope", settings)
    assert len(clips_of(folder, "modelscope", "modelscope")) == 2
    assert "clipsim" in values_of(folder).loc["modelscope"].index
    index = words(Reader(folder / "reports/index.html"))
    assert f"{text_to_video_folder} (modelscope): " in index
    assert "Made by this run 2 clips of 1 method (0 failed), of prompts, and all values." in index
    assert "modelscope" in (folder / "reports/methods.html").read_text()


def test_etc(run_stages: RunStages, stable_diffusion_21_folder: Path, clip_folder: Path, tmp_path: Path) -> None:
    unet = stable_diffusion.load(stable_diffusion_21_folder, None).unet
    torch.manual_seed(0)
    grid = GridUNet.of(unet, mixed=False)
    nn.init.normal_(grid.fps.layers[-1].weight)
    trained = tmp_path / "trained"
    grid.save(trained)
    settings = [
        *folders("sd21/sd21", stable_diffusion_21_folder),
        f"features.clip={clip_folder}",
        f"generate.methods.etc_sd21.trained={trained}",
        "train={}",
        "generate.prompts.limit=2",
        "generate.models.sd21.sampling={steps: 2, guidance: 7, frames: 16, height: 64, width: 64}",
    ]
    folder = run_stages("stable-diffusion-2-1-etc", settings)
    assert len(clips_of(folder, "sd21", "etc_sd21")) == 2
    assert "clipsim" in values_of(folder).loc["etc_sd21"].index
    assert "etc_<wbr>sd21" in (folder / "reports/methods.html").read_text()


@SLOW
def test_dvc_runs_a_profile_and_then_nothing(
    root: Path, text_to_video_folder: Path, clip_folder: Path, tmp_path: Path, i3d_weights: Path, minilm: Path
) -> None:
    """The command as a user calls it, twice; MLflow's database is the run's own."""
    settings = [
        *SMALL,
        *folders("clip_text/modelscope", text_to_video_folder),
        f"features.clip={clip_folder}",
        "generate.prompts.limit=1",
        "generate.models.modelscope.sampling={steps: 2, guidance: 9, frames: 16, height: 32, width: 32}",
    ]
    options = [option for setting in settings for option in ("--set", setting)]
    command = [sys.executable, "-c", "from pipeline.commands.cli import main; main()", "run", "--profile", "modelscope"]
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    done = []
    for _ in range(2):
        done.append(
            subprocess.run(
                [*command, "--out", str(tmp_path / "run"), *options],
                cwd=root,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
        )
    assert [one.returncode for one in done] == [0, 0], done[0].stdout + done[0].stderr
    assert "Running stage 'generate@modelscope'" in done[0].stdout
    assert "Running stage" not in done[1].stdout
    assert (tmp_path / "run/reports/index.html").is_file()
    assert (tmp_path / "run/mlflow.db").is_file()
