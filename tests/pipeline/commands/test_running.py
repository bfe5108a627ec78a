"""What a run's copy of the working tree holds, and how it is brought up to date."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.commands import running, tree
from pipeline.config import params, paths, profiles
from pipeline.config.params import ParamsError
from pipeline.config.revision import Revision, revision


@pytest.fixture
def wanted(root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The parameters of a run of cogvideox-2b; from the repository's root."""
    monkeypatch.chdir(root)
    return profiles.with_profile(params.read(), "cogvideox-2b")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves the public weights out of copies."""
    monkeypatch.setattr(tree, "_public", list)


@pytest.mark.usefixtures("few")
def test_a_run_has_its_own_parameters_and_dag_and_no_toy_world(wanted: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    before = paths.LOCK.read_bytes(), paths.PARAMS.read_bytes()
    running.prepare(wanted, folder)
    assert params.read(folder / paths.PARAMS)["generate"]["models"] == wanted["generate"]["models"]
    dag = yaml.safe_load((folder / paths.DAG).read_text())
    assert not [name for name in dag["stages"] if name.startswith(("train", "code", "reference", "oracle"))]
    assert (folder / "stages/generate.py").is_file()
    assert not (folder / "models/world").exists()
    assert not (folder / "data").exists()
    assert (paths.LOCK.read_bytes(), paths.PARAMS.read_bytes()) == before


@pytest.mark.usefixtures("few")
def test_a_run_knows_the_revision_of_the_checkout(
    wanted: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = revision()
    running.prepare(wanted, tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run")
    assert revision() == here != Revision("", changed=False)


@pytest.mark.usefixtures("few")
def test_every_dep_of_a_run_is_there_or_made(wanted: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    running.prepare(wanted, folder)
    stages = yaml.safe_load((folder / paths.DAG).read_text())["stages"]
    outs = [out for entry in stages.values() for out in running._outs(entry)]
    for name, entry in stages.items():
        for dep in entry.get("do", entry)["deps"]:
            made = any(out.startswith(dep) or dep.startswith(out) for out in outs)
            assert made or "${" in dep or (folder / dep).exists(), (name, dep)


@pytest.mark.usefixtures("few")
def test_the_toy_worlds_clips_come_along_where_they_are_the_real_side(wanted: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    running.prepare(profiles.with_settings(wanted, ["evaluate.metrics=[fvd]"]), folder)
    assert "reference" in yaml.safe_load((folder / paths.DAG).read_text())["stages"]
    assert (folder / paths.REFERENCE / "clips.csv").is_file()
    assert set(yaml.safe_load((folder / paths.LOCK).read_text())["stages"]) == {"reference"}


@pytest.mark.usefixtures("few")
def test_a_copy_is_brought_up_to_date_and_keeps_what_it_made(wanted: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    running.prepare(wanted, folder)
    (folder / "data/clips").mkdir(parents=True)
    (folder / "data/clips/one.mkv").touch()
    (folder / "dvc.lock").write_text("schema: '2.0'\nstages: {prompts: {cmd: x}}\n")
    (folder / "stages/embed.py").write_text("changed")
    gone = folder / "stages/gone.py"
    gone.touch()
    listed = folder / ".scratch/copied.txt"
    listed.write_text(listed.read_text() + "stages/gone.py\n")
    running.prepare(profiles.with_settings(wanted, ["generate.mixtures.seeds=2"]), folder)
    assert (folder / "stages/embed.py").read_bytes() == Path("stages/embed.py").read_bytes()
    assert (folder / "data/clips/one.mkv").is_file()
    assert not gone.exists()
    assert "prompts" in yaml.safe_load((folder / "dvc.lock").read_text())["stages"]
    assert params.read(folder / paths.PARAMS)["generate"]["mixtures"]["seeds"] == 2


@pytest.mark.usefixtures("few")
def test_places_beside_the_checkout_are_still_found(wanted: dict[str, Any], tmp_path: Path) -> None:
    """A path is relative to where the command is called; the run is another folder."""
    folder = tmp_path / "run"
    here = Path(".scratch/own-clip")
    here.mkdir(parents=True, exist_ok=True)
    try:
        settings = [f"features.clip={here}", "prompts.msrvtt.path=README.md"]
        running.prepare(profiles.with_settings(wanted, settings), folder)
    finally:
        here.rmdir()
    found = params.read(folder / paths.PARAMS)
    assert found["features"]["clip"] == str(here.absolute())
    assert found["prompts"]["msrvtt"]["path"] == "README.md"  # the copy has it, too
    assert found["generate"]["models"]["cogvideox"]["checkpoint"] == "THUDM/CogVideoX-2b"


def test_a_folder_of_something_else_is_left_alone(wanted: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ValueError, match="is no run, expected a new folder or one that"):
        running.prepare(wanted, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_wrong_parameters_make_no_folder(wanted: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(
        ParamsError, match=r"memory\.dtype is bfloat16, expected float32 or sampling\.precision, float16"
    ):
        running.prepare(
            profiles.with_settings(wanted, ["generate.models.cogvideox.memory.dtype=bfloat16"]), tmp_path / "run"
        )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["modelscope", "stable-diffusion-2-1-etc", "make-a-video", "cogvideox-5b"])
@pytest.mark.usefixtures("few")
def test_every_profile_can_be_prepared(name: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    assert running.run(name, out=tmp_path / "run", prepare_only=True) == 0
    params.load(tmp_path / "run" / paths.PARAMS)
