"""Each stage by hand, as a user runs it: its files, and one sentence when something is wrong."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    """A copy of what stages read, without anything that they write."""
    for name in ("pipeline", "stages", "metrics"):
        (tmp_path / name).symlink_to(root / name)
    shutil.copytree(root / "prompts", tmp_path / "prompts")
    shutil.copy(root / "params.yaml", tmp_path)
    return tmp_path


def run(checkout: Path, *arguments: str, module: bool = True) -> subprocess.CompletedProcess:
    command = [sys.executable, *(["-m"] if module else []), *arguments]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


def change(checkout: Path, **sections: dict) -> None:
    path = checkout / "params.yaml"
    data = yaml.safe_load(path.read_text())
    for name, values in sections.items():
        data[name].update(values)
    path.write_text(yaml.safe_dump(data))


def error_of(done: subprocess.CompletedProcess) -> str:
    """What a stage wrote beside the lines of its start and its end."""
    lines = done.stderr.splitlines()
    assert re.fullmatch(r"\w+: started", lines[0])
    assert re.fullmatch(r"\w+: failed after \d+ s", lines[1])
    return "\n".join(lines[2:])


def test_prompts_embed_and_search(checkout: Path, minilm: Path) -> None:
    (checkout / "models").mkdir()
    (checkout / "models/public").symlink_to(minilm.parent)
    encoder = yaml.safe_load((checkout / "params.yaml").read_text())["embed"]["encoders"]["minilm"]
    encoder["sets"] = {"world": encoder["sets"]["world"]}
    change(checkout, embed={"encoders": {"minilm": encoder}}, search={"k": [30]}, prompts={"sets": ["world"]})
    for command in (["stages.prompts"], ["stages.embed", "minilm"], ["stages.search", "minilm"]):
        done = run(checkout, *command)
        assert done.returncode == 0, done.stderr
        name = " ".join(command).removeprefix("stages.")
        assert re.fullmatch(rf"{name}: started\n(.*\n)*{name}: finished after \d+ s\n", done.stderr)
        assert "\r" not in done.stderr
    assert (checkout / "data/search/minilm/optima.csv").is_file()


def test_an_error_in_a_prompt_file_is_one_sentence(checkout: Path) -> None:
    with (checkout / "prompts/vc.csv").open("a") as file:
        file.write("vc-001,x,again\n")
    done = run(checkout, "stages.prompts")
    assert done.returncode == 1
    assert error_of(done) == "error: prompts/vc.csv, row 42, field id: duplicate 'vc-001', already in row 2"
    assert not (checkout / "data").exists()


def test_stages_before_their_inputs_say_which_stage_to_run(checkout: Path) -> None:
    run(checkout, "stages.prompts")
    done = run(checkout, "stages.search", "minilm")
    assert done.returncode == 1
    assert "run the embed stage" in done.stderr
    assert "Traceback" not in done.stderr


def test_weights_from_a_wrong_local_path(checkout: Path) -> None:
    change(checkout, weights={"i3d": "nowhere.ckpt"})
    done = run(checkout, "stages.weights")
    assert done.returncode == 1
    assert error_of(done) == "error: params.yaml: weights.i3d is nowhere.ckpt, which does not exist"


def test_an_interrupted_stage_says_that_it_continues(checkout: Path) -> None:
    code = """
import os, signal, sys
from pipeline.config.entry import stage

@stage
def main(model):
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["stages/generate.py", "world"]
main()
"""
    done = run(checkout, "-c", code, module=False)
    assert done.returncode == 130
    lines = ["generate world: started", "stopped; start it again to continue", "generate world: failed after 0 s"]
    assert done.stderr.splitlines() == lines


def test_a_stage_that_counts_nothing_says_that_it_runs(checkout: Path) -> None:
    code = """
import sys, time
from metrics import progress
from pipeline.config.entry import stage

@stage
def main():
    time.sleep(1)

progress.INTERVAL = 0.3
sys.argv = ["stages/evaluate.py"]
main()
"""
    first, *others, last = run(checkout, "-c", code, module=False).stderr.splitlines()
    assert first == "evaluate: started"
    assert 1 <= len(others) <= 3
    assert all(re.fullmatch(r"evaluate: running, \d+ s", line) for line in others)
    assert re.fullmatch(r"evaluate: finished after [1-9]\d* s", last)


def test_every_stage_of_the_dag_has_its_module(root: Path) -> None:
    """Named after the stage, or the first part of its name where a module makes several: train_codec, train_motion."""
    stages = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    run = {
        name: re.search(r"python -m stages\.(\w+)", entry.get("do", entry)["cmd"]).group(1)
        for name, entry in stages.items()
    }
    assert [name for name, module in run.items() if module not in (name, name.split("_")[0])] == []
    assert {path.stem for path in (root / "stages").glob("*.py")} - {"__init__"} == set(run.values())
