"""What makes a training another one: its checkpoint is not continued."""

import json
from pathlib import Path

import pytest

from pipeline.config import params, paths
from pipeline.config.code import CARRIES_NO_RESULT, closure
from pipeline.config.embed import Embed
from pipeline.config.params import Params
from pipeline.config.train import Schedule, Training
from pipeline.training import identity
from tests.pipeline.training.small import embed_by

MODULES = ("codec", "clip", "cogvideox", "modelscope", "t2i", "lora", "motion")


@pytest.fixture
def shipped(root: Path) -> Params:
    return params.load(root / "params.yaml")


def changed(wanted: Training, **spec: object) -> Training:
    return wanted.model_copy(update={"spec": wanted.spec.model_copy(update=spec)})


def test_parameters_name_and_text_count(shipped: Params, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    wanted, embed = shipped.train["t2i"], shipped.embed
    longer = wanted.model_copy(update={"schedule": Schedule(steps=11, learning_rate=1e-3)})
    minilm = embed.encoders["minilm"]
    sets = minilm.sets | {"world": minilm.sets["world"].model_copy(update={"scale": 2.0})}
    scaled = Embed(encoders={"minilm": minilm.model_copy(update={"sets": sets})})
    unused = minilm.sets | {"other": minilm.sets["world"]}
    made = [
        identity.identity("t2i", wanted, embed),
        identity.identity("x", wanted, embed),
        identity.identity("t2i", changed(wanted, heads=2), embed),
        identity.identity("t2i", longer, embed),
        identity.identity("t2i", wanted, scaled),
    ]
    assert len(set(made)) == 5
    others = Embed(encoders={"minilm": minilm.model_copy(update={"sets": unused})})
    assert made[0] == identity.identity("t2i", wanted, others)  # another set of the encoder


@pytest.mark.parametrize("below", ["models/world/codec", "elsewhere", "encoder"])
def test_models_below_count(shipped: Params, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, below: str) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / below
    folder.mkdir(parents=True)
    (folder / "weights.json").write_text("a")
    text = {"text": {"encoder": "text", "set": "captions"}}
    wanted = changed(shipped.train["harivo"], checkpoint="elsewhere", **text)
    wanted = type(wanted).model_validate(wanted.model_dump())
    embed = embed_by("minilm", Path("encoder"), 20)
    before = identity.identity("harivo", wanted, embed)
    (folder / "weights.json").write_text("b")
    assert identity.identity("harivo", wanted, embed) != before


def test_its_own_folder_does_not_count(shipped: Params, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It holds the result of an earlier training of the same name."""
    monkeypatch.chdir(tmp_path)
    wanted, embed = shipped.train["codec"], shipped.embed
    before = identity.identity("codec", wanted, embed)
    paths.world_model("codec").mkdir(parents=True)
    (paths.world_model("codec") / "weights.json").write_text("a")
    assert identity.identity("codec", wanted, embed) == before


@pytest.mark.parametrize("name", ["codec", "clip", "cogvideox", "modelscope", "t2i", "lora", "harivo"])
def test_code_is_what_the_module_imports_and_the_loop(
    shipped: Params, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def record(*modules: str, without: tuple[str, ...]) -> str:
        asked.append((*modules, *without))
        return "code"

    monkeypatch.setattr(identity, "code_hash", record)
    wanted = shipped.train[name]
    assert "code" in json.loads(identity.identity(name, wanted, shipped.embed))
    assert asked == [(f"pipeline.training.{wanted.module}", "pipeline.training.loop", *CARRIES_NO_RESULT)]


def test_each_training_depends_on_what_it_needs() -> None:
    """The codec on no text, no text-to-image training on temporal layers, none on how results are written or shown."""
    files = {
        name: {path.as_posix() for path in closure(f"pipeline.training.{name}", without=CARRIES_NO_RESULT)}
        for name in MODULES
    }
    rooms = {name: {path.split("/")[1] for path in own} for name, own in files.items()}
    assert rooms["codec"] == {"codec", "training", "world"}
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
    assert "pipeline/samplers/unet3d.py" in files["modelscope"]
    assert "metrics/networks/clip.py" in files["clip"]
