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


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", *arguments], cwd=checkout, capture_output=True, text=True, check=False)


def change(checkout: Path, **sections: dict) -> None:
    path = checkout / "params.yaml"
    data = yaml.safe_load(path.read_text())
    for name, values in sections.items():
        data[name].update(values)
    path.write_text(yaml.safe_dump(data))


def test_prompts_embed_and_search(checkout: Path, minilm: Path) -> None:
    (checkout / "models").mkdir()
    (checkout / "models/public").symlink_to(minilm.parent)
    encoder = yaml.safe_load((checkout / "params.yaml").read_text())["embed"]["encoders"]["minilm"]
    encoder["sets"] = {"world": encoder["sets"]["world"]}
    change(checkout, embed={"encoders": {"minilm": encoder}}, search={"k": [30]}, prompts={"sets": ["world"]})
    for command in (["stages.prompts"], ["stages.embed", "minilm"], ["stages.search", "minilm"]):
        done = run(checkout, *command)
        assert done.returncode == 0, done.stderr
    assert (checkout / "data/search/minilm/optima.csv").is_file()


def test_a_faulty_prompt_file_is_one_sentence(checkout: Path) -> None:
    with (checkout / "prompts/vc.csv").open("a") as file:
        file.write("vc-001,x,again\n")
    done = run(checkout, "stages.prompts")
    assert done.returncode == 1
    assert re.fullmatch(r"error: prompts/vc.csv, row 42, field id: duplicate 'vc-001', already in row 2\n", done.stderr)
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
    assert (done.returncode, done.stderr) == (
        1,
        "error: params.yaml: weights.i3d is nowhere.ckpt, which does not exist\n",
    )


def test_every_stage_of_the_dag_has_its_module(root: Path) -> None:
    """Named after the stage, or the first part of its name where a module makes several: train_codec, train_motion."""
    stages = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    run = {
        name: re.search(r"python -m stages\.(\w+)", entry.get("do", entry)["cmd"]).group(1)
        for name, entry in stages.items()
    }
    assert [name for name, module in run.items() if module not in (name, name.split("_")[0])] == []
    assert {path.stem for path in (root / "stages").glob("*.py")} - {"__init__"} == set(run.values())
