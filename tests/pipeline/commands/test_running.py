"""What a run's copy of the working tree holds, and how it is brought up to date."""

import shutil
import subprocess
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
def clone(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of the checkout's small files, in which commands are called."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("dvc.yaml", "dvc.lock", "params.yaml", ".gitignore"):
        shutil.copy2(root / name, folder / name)
    for name in ("stages", "pipeline/methods", "profiles", "prompts"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run("git init -q && git add -A", shell=True, cwd=folder, check=True)
    monkeypatch.chdir(folder)
    return folder


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
    settings = ["evaluate.metrics=[fvd]", "generate.models.cogvideox.checkpoint=models/world/cogvideox"]
    running.prepare(profiles.with_settings(wanted, settings), folder)
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


@pytest.mark.usefixtures("few")
def test_new_files_of_ones_own_are_read_where_they_are(
    wanted: dict[str, Any], clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights and videos that git does not track are not copied; new code is. An earlier copy of them goes."""
    for name in ("weights/unet/model.safetensors", "real/a.mkv", "labels.csv", "pipeline/new.py", "prompts/new.csv"):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text("method,clip,shown\n")
    folder = tmp_path / "run"
    settings = ["features.clip=weights", "evaluate.reference=./real", "evaluate.labels=labels.csv"]
    with monkeypatch.context() as before:
        before.setattr(tree, "new", list)
        before.setattr(tree, "_listed", lambda: [Path("weights/unet/model.safetensors")])
        tree.copy(folder)
    assert (folder / "weights/unet").is_dir()
    for _ in range(2):
        running.prepare(profiles.with_settings(wanted, settings), folder)
        found = params.read(folder / paths.PARAMS)
        assert found["features"]["clip"] == str(clone / "weights")
        assert found["evaluate"]["reference"] == str(clone / "real")
        assert found["evaluate"]["labels"] == str(clone / "labels.csv")
        assert not [name for name in ("weights", "real", "labels.csv") if (folder / name).exists()]
        assert (folder / "pipeline/new.py").is_file()
        assert (folder / "prompts/new.csv").is_file()


@pytest.mark.usefixtures("few")
def test_runs_in_the_checkout_hold_no_runs(wanted: dict[str, Any], clone: Path) -> None:
    for name in ("profiles/one", "profiles/other"):  # a new folder, where new files come along
        for _ in range(2):
            running.prepare(wanted, Path(name))
    copied = [path.relative_to(clone) for path in clone.glob("profiles/*/stages/embed.py")]
    assert sorted(copied) == [Path("profiles/one/stages/embed.py"), Path("profiles/other/stages/embed.py")]
    assert len(list(clone.rglob("embed.py"))) == 3


@pytest.mark.usefixtures("few")
def test_places_at_home_are_absolute_in_a_run(
    wanted: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "labels.csv").write_text("method,clip,shown\n")
    (tmp_path / "clip").mkdir()
    settings = ["evaluate.labels=~/labels.csv", "features.clip=~/clip"]
    running.prepare(profiles.with_settings(wanted, settings), tmp_path / "run")
    found = params.load(tmp_path / "run" / paths.PARAMS)
    assert (found.features.clip, found.evaluate.labels) == (str(tmp_path / "clip"), str(tmp_path / "labels.csv"))
    deps = yaml.safe_load((tmp_path / "run" / paths.DAG).read_text())["stages"]["evaluate"]["deps"]
    assert str(tmp_path / "labels.csv") in deps


@pytest.mark.parametrize("metric", ["fvd", "kvd"])
def test_public_models_are_not_compared_with_the_toy_world(wanted: dict[str, Any], tmp_path: Path, metric: str) -> None:
    values = profiles.with_settings(wanted, [f"evaluate.metrics=[clipsim, {metric}]"])
    said = rf"evaluate\.reference: is null, so that {metric} would compare generate\.models\.cogvideox \(THUDM"
    with pytest.raises(ParamsError, match=said):
        running.prepare(values, tmp_path / "run")
    assert not (tmp_path / "run").exists()


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


@pytest.mark.usefixtures("few", "wanted")
def test_a_run_remembers_what_was_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def seeds_and_batch(*settings: str, profile: str = "cogvideox-2b") -> tuple[int, int]:
        assert running.run(profile, settings, tmp_path / "run", prepare_only=True) == 0
        found = params.load(tmp_path / "run" / paths.PARAMS)
        return found.generate.mixtures.seeds, found.features.batch

    assert seeds_and_batch("generate.mixtures.seeds=2", "features.batch=3") == (2, 3)
    assert "earlier" not in capsys.readouterr().out
    assert seeds_and_batch() == (2, 3)
    assert "--set generate.mixtures.seeds=2 (an earlier call's" in capsys.readouterr().out
    assert seeds_and_batch("features.batch=4") == (2, 4)
    assert seeds_and_batch("generate.mixtures={limit: 1, seeds: 5}") == (5, 4)
    assert seeds_and_batch() == (5, 4)
    with pytest.raises(ParamsError):
        seeds_and_batch("features.batch=-1")  # a call that fails leaves nothing behind
    assert seeds_and_batch() == (5, 4)
    assert seeds_and_batch(profile="cogvideox-5b") == (1, 8)


@pytest.mark.parametrize("name", ["modelscope", "stable-diffusion-2-1-etc", "make-a-video", "cogvideox-5b"])
@pytest.mark.usefixtures("few")
def test_every_profile_can_be_prepared(name: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    assert running.run(name, out=tmp_path / "run", prepare_only=True) == 0
    params.load(tmp_path / "run" / paths.PARAMS)
