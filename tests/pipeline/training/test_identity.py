"""What makes a training another one: its checkpoint is not continued."""

import json
from pathlib import Path

import pytest

from pipeline.config import paths
from pipeline.config.code import closure
from pipeline.training import identity
from pipeline.training.loop import Schedule

SCHEDULE = Schedule(steps=10, learning_rate=1e-3)
MODULES = ("codec", "clip", "cogvideox", "t2i", "lora", "motion")


def made(name: str = "t2i", module: str = "t2i", schedule: Schedule = SCHEDULE, **spec: object) -> str:
    return identity.identity(name, f"pipeline.training.{module}", spec, schedule)


def test_parameters_module_and_name_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    others = [made(heads=4), made(name="x"), made(module="lora"), made(schedule=Schedule(steps=11, learning_rate=1e-3))]
    assert len({made(), *others}) == 5
    assert made() == made()
    assert json.loads(made(heads=4))[:2] == ["t2i", {"heads": 4}]


@pytest.mark.parametrize("below", ["models/world/codec", "elsewhere"])
def test_models_below_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, below: str) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / below
    folder.mkdir(parents=True)
    (folder / "weights.json").write_text("a")
    before = made(checkpoint=below)
    (folder / "weights.json").write_text("b")
    assert made(checkpoint=below) != before


def test_its_own_folder_does_not_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It holds the result of an earlier training of the same name."""
    monkeypatch.chdir(tmp_path)
    before = made(name="codec", module="codec")
    paths.world_model("codec").mkdir(parents=True)
    (paths.world_model("codec") / "weights.json").write_text("a")
    assert made(name="codec", module="codec") == before


@pytest.mark.parametrize("module", MODULES)
def test_code_is_what_the_module_imports_and_the_loop(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def record(*modules: str, without: tuple[str, ...]) -> str:
        asked.append((*modules, *without))
        return "code"

    monkeypatch.setattr(identity, "code_hash", record)
    assert "code" in json.loads(made(module=module))
    assert asked == [(f"pipeline.training.{module}", "pipeline.training.loop", "pipeline.config")]


def test_each_training_depends_on_what_it_needs() -> None:
    """The codec on no text, no text-to-image training on temporal layers, none on how results are written or shown."""
    files = {
        name: {path.as_posix() for path in closure(f"pipeline.training.{name}", without=identity.BY_VALUE)}
        for name in MODULES
    }
    rooms = {name: {path.split("/")[1] for path in own} for name, own in files.items()}
    assert rooms["codec"] == {"training", "world"}
    assert not {path for name in ("clip", "t2i", "lora", "cogvideox") for path in files[name] if "motion" in path}
    assert not files["cogvideox"] & {
        "pipeline/training/codec.py",
        "pipeline/training/t2i.py",
        "pipeline/training/lora.py",
    }
    forbidden = {"tracking", "methods", "clips", "evaluation", "report", "commands"}
    assert not any(own & forbidden for own in rooms.values())
    assert {"pipeline/samplers/animatediff.py", "pipeline/samplers/guidance.py"} <= files["motion"]
    assert "pipeline/samplers/cogvideox.py" in files["cogvideox"]
    assert "metrics/networks/clip.py" in files["clip"]


def test_module_of() -> None:
    assert identity.module_of("t2i", None) == "pipeline.training.t2i"
    assert identity.module_of("harivo", "motion") == "pipeline.training.motion"
