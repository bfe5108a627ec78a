import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import save_file
from typer.testing import CliRunner

from pipeline.commands import doctor, running, smoke, tree
from pipeline.commands.cli import app

STAGES = {path.stem for path in (Path(__file__).parents[3] / "stages").glob("*.py")}
LIGHT = (
    "metrics",
    "metrics.scoring.catalogue",
    "metrics.scoring.protocol",
    "pipeline.commands.cli",
    *(f"stages.{name}" for name in sorted(STAGES - {"__init__"})),
)
WITHOUT_TORCH = ("pipeline.tracking.store", "pipeline.tracking.runs", "pipeline.prompts.sets", "pipeline.report.site")
HEAVY = {"torch", "transformers", "diffusers", "mlflow", "plotly"}


@pytest.fixture(scope="module")
def loaded(root: Path) -> dict[str, set[str]]:
    """Module -> the heavy packages that an interpreter has loaded after importing it and those before it.

    One fresh interpreter serves for all: nothing heavy is loaded before the first module that loads it.
    """
    script = f"""
import importlib, json, sys
for name in {(*LIGHT, *WITHOUT_TORCH)!r}:
    importlib.import_module(name)
    print(json.dumps([name, sorted({HEAVY!r} & sys.modules.keys())]))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    return {name: set(found) for name, found in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("module", LIGHT)
def test_starting_up_imports_nothing_heavy(module: str, loaded: dict[str, set[str]]) -> None:
    assert not loaded[module]


def test_what_is_wrong_with_places_is_said_before_torch_is_loaded(root: Path, tmp_path: Path) -> None:
    """It takes seconds to load. Each command in the interpreter of those before it."""
    np.save(tmp_path / "c.npy", np.zeros((16, 12, 12, 3), np.uint8))
    (tmp_path / "c.csv").write_text("clip,caption\nd,A red circle.\n")
    videos, nowhere, old = (str(tmp_path / name) for name in ("c.npy", "nowhere", "old"))
    save_file({"i3d": np.zeros((2, 400), np.float32)}, old, {"schema": "reelbench.stats/1"})
    score = ["score", "--gen", videos, "--metrics", "temporal_flickering"]
    calls = [
        (["score", "--gen", nowhere], "no such file or folder"),
        ([*score, "--real", nowhere], "no such file or folder"),
        ([*score, "--captions", nowhere + ".csv"], "no such file"),
        ([*score, "--captions", str(tmp_path / "c.csv")], "none of 1 captions matches"),
        ([*score, "--real-stats", nowhere], "no such file"),
        ([*score, "--real-stats", str(tmp_path / "c.csv")], "c.csv: no file of statistics that `reelbench stats`"),
        ([*score, "--real-stats", old], "old: schema is 'reelbench.stats/1', expected"),
        ([*score, "--confidence", "3"], "confidence 3.0: expected"),
        ([*score, "--i3d", nowhere], "no such file"),
        ([*score, "--flow", nowhere], "no such file"),
        ([*score, "--network", nowhere], "no such file or folder"),
        ([*score, "--clip", nowhere], "has no config.json"),
        ([*score, "--out", str(tmp_path)], "is a folder"),
        (["score", "--gen", videos, "--metrics", "clipsim"], "needs --clip"),
        (["compare", videos, nowhere], "no such file or folder"),
        (["compare", videos, nowhere + ".json"], "no such file"),
        (["stats", "--real", nowhere, "--out", str(tmp_path / "s")], "no such file or folder"),
        (["filter", "--videos", videos, "--captions", nowhere, "--ratio", "1"], "needs --clip"),
    ]
    script = f"""
import json, sys
from typer.testing import CliRunner
from pipeline.commands.cli import app
for arguments in json.loads({json.dumps([arguments for arguments, _ in calls])!r}):
    done = CliRunner().invoke(app, arguments, env={{"COLUMNS": "400"}})
    print(json.dumps([done.exit_code, done.output, sorted({HEAVY!r} & sys.modules.keys())]))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    for (arguments, message), (code, output, heavy) in zip(calls, found, strict=True):
        assert (code, heavy) == (1, []), arguments
        assert message in output, arguments


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_tracking_and_the_report_need_no_torch(module: str, loaded: dict[str, set[str]]) -> None:
    assert "torch" not in loaded[module]


def test_help_names_the_commands() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert "doctor" in result.stdout
    for name in ("smoke", "score", "stats", "agreement"):
        assert name in result.stdout


def test_the_doctor_finds_this_checkout_well(root: Path, monkeypatch: pytest.MonkeyPatch, i3d_weights: Path) -> None:
    monkeypatch.chdir(root)
    findings = doctor.examine()
    assert {f.what for f in findings} >= {"python", "torch", "device", "I3D", "MiniLM", "free disk", "methods"}
    assert not [f for f in findings if f.fix]
    assert doctor.show(findings) == 0


def test_the_doctor_names_the_stage_that_trains(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    stages = [doctor.stage_of(name) for name in ("codec", "etc_mixed", "video_decoder_cueless", "interpolation")]
    expected = ["codec", "etc@etc_mixed", "video_decoder@video_decoder_cueless", "interpolation"]
    assert stages == [f"train_{name}" for name in expected]


def test_the_doctor_of_a_run_names_what_can_be_done_there(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its dvc.yaml trains nothing, it is no repository, and its models are not of the toy world."""
    monkeypatch.chdir(root)
    monkeypatch.setattr(tree, "_public", list)
    assert running.run("make-a-video", out=tmp_path / "run", prepare_only=True) == 0
    monkeypatch.chdir(tmp_path / "run")
    assert not missing_stages(doctor.examine())
    fixes = {f.what: f.fix for f in doctor.examine() if f.fix}
    assert fixes["trained mav_prior"] == "python -m stages.train mav_prior"
    assert not [what for what in fixes if "toy world" in what]


def missing_stages(findings: list[doctor.Finding]) -> list[str]:
    """What `dvc repro` is said to be of, and dvc.yaml here has not."""
    named = re.findall(r"dvc repro (\w+)", " ".join(f.fix for f in findings))
    return sorted(set(named) - set(yaml.safe_load(Path("dvc.yaml").read_text())["stages"]))


def test_the_doctor_names_a_fix_for_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fixes = {f.what: f.fix for f in doctor.examine() if f.fix}
    assert fixes["I3D"] == "dvc repro weights"
    assert "params.yaml" in fixes


def test_smoke_shrinks_and_keeps_the_rest(root: Path) -> None:
    from pipeline.config.params import Params

    wanted = yaml.safe_load((root / "params.yaml").read_text())
    small = smoke.shrink(wanted)
    Params.model_validate(small)
    assert small["train"] == wanted["train"]  # else the smoke run would train
    assert small["harivo"]["sweep"]["points"] == small["harivo"]["trials"]["points"] == {}
    assert {part: set(small[part]) for part in small} == {
        part: set(wanted[part]) for part in wanted
    }  # `dvc` asks for each
    assert small["richspace"]["bounds"] == wanted["richspace"]["bounds"] | smoke.BOUNDS
    assert [small["etc"][kind]["points"] for kind in ("short", "larger")] == [small["etc"]["points"]] * 2 == [{}, {}]
    assert small["etc"]["attention"]["steps"] == [1, smoke.STEPS]
    assert smoke.shrink(wanted | {"etc": wanted["etc"] | {"attention": None}})["etc"]["attention"] is None
    assert small["richspace"]["oracle"] == {"method": "richspace"} | smoke.ORACLE
    without = wanted | {"richspace": {"oracle": None, "bounds": None}}
    assert smoke.shrink(without)["richspace"] == without["richspace"]
    for asked in (small["generate"]["mixtures"], small["generate"]["prompts"], *small["generate"]["methods"].values()):
        assert asked["limit"] <= smoke.LIMIT < 10
    assert {m["sampling"]["steps"] for m in small["generate"]["models"].values()} == {smoke.STEPS}
    assert wanted["generate"]["mixtures"]["limit"] > smoke.LIMIT and small["generate"]["mixtures"]["seeds"] == 1
