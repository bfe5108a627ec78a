"""A real sqlite store: nothing twice, everything back after a deletion. The schema is migrated once and copied."""

import json
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from pipeline.config import paths
from pipeline.tracking import store as tracking
from pipeline.tracking.store import ChildRun, Series, live_run, state_of, track_results

CHILDREN = [
    ChildRun("cogvideox", "method", {"guidance": 4.0, "limit": None}, {"fvd": 12.5, "clipsim": float("nan")}),
    ChildRun("search", "search", series=[Series("similarity/x", [(i, i / 700) for i in range(1, 701)])]),
]


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    shutil.copy(migrated, tmp_path / "mlflow.db")
    return tmp_path / "mlflow.db"


def runs(name: str = tracking.RESULTS) -> list:
    client = MlflowClient(tracking.uri())
    return client.search_runs([client.get_experiment_by_name(name).experiment_id])


def summary() -> set[tuple]:
    """What the store says, apart from ids and times."""
    return {
        (run.info.run_name, tuple(sorted(run.data.metrics.items())), tuple(sorted(run.data.params.items())))
        for run in runs()
    }


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/table.csv").write_text("a,b\n1,2\n")
    return Path("reports/table.csv")


def test_one_parent_with_a_child_each(database: Path, artifact: Path) -> None:
    parent = track_results("s1", CHILDREN, {"k": 30}, [artifact])
    client = MlflowClient(tracking.uri())
    assert len(runs()) == 3
    children = [run for run in runs() if run.data.tags.get("mlflow.parentRunId") == parent]
    assert {run.info.run_name for run in children} == {"cogvideox", "search"}
    search = next(run for run in children if run.info.run_name == "search")
    history = client.get_metric_history(search.info.run_id, "similarity/x")
    assert [(m.step, m.value) for m in history] == [(i, pytest.approx(i / 700)) for i in range(1, 701)]
    assert [a.path for a in client.list_artifacts(parent, "reports")] == ["reports/table.csv"]
    assert client.get_run(parent).data.tags[tracking.STATE_TAG] == "s1"
    (method,) = client.search_runs([search.info.experiment_id], "tags.kind = 'method' and params.guidance = '4'")
    assert method.data.metrics == {"fvd": 12.5}  # NaN is no metric
    assert method.data.params == {"guidance": "4"}  # nor None a parameter
    assert method.data.tags["results"] == client.get_run(parent).info.run_name == "results-s1"


def test_an_experiment_opens_with_a_kind_a_description_and_views(database: Path) -> None:
    track_results("s1", [], {}, [])
    client = MlflowClient(tracking.uri())
    experiment = client.get_experiment_by_name(tracking.RESULTS)
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    links = re.findall(r"#/experiments/(\d+)/runs\S*viewStateShareKey=(\w+)", experiment.tags["mlflow.note.content"])
    assert {own for own, _ in links} == {experiment.experiment_id}
    views = {view: json.loads(experiment.tags[f"mlflow.sharedViewState.{view}"]) for _, view in links}
    assert {"params.`k`", "metrics.`fvd`"} <= set(views["methods"]["selectedColumns"])
    for view in views.values():
        client.search_runs([experiment.experiment_id], view["searchFilter"])  # MLflow can read it
    client.set_experiment_tag(experiment.experiment_id, "mlflow.note.content", "my own")
    track_results("s2", [], {}, [])
    assert client.get_experiment_by_name(tracking.RESULTS).tags["mlflow.note.content"] == "my own"


def move(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rename the working directory and go there."""
    moved = folder.rename(folder.with_name(f"{folder.name}-moved"))
    monkeypatch.chdir(moved)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{moved / 'mlflow.db'}")
    return moved


def test_a_moved_folder_keeps_its_artifacts(database: Path, artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = track_results("s1", CHILDREN, {}, [artifact])
    with live_run("codec", {}) as report:
        report(20, {}, np.zeros((4, 4, 3), np.uint8))
    moved = move(database.parent, monkeypatch)
    client = MlflowClient(tracking.uri())
    kept = client.download_artifacts(parent, "reports/table.csv", str(moved))
    assert Path(kept).read_text() == artifact.read_text()
    assert client.list_artifacts(runs(tracking.TRAINING)[0].info.run_id)


def test_a_database_that_was_moved_before_finds_its_artifacts_again(
    database: Path, artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tracking, "_make_relative", lambda _: None)  # as earlier versions wrote it
        parent = track_results("s1", CHILDREN, {}, [artifact])
    assert MlflowClient(tracking.uri()).get_run(parent).info.artifact_uri.startswith(str(database.parent))
    move(database.parent, monkeypatch)
    track_results("s1", CHILDREN, {}, [artifact])
    assert [a.path for a in MlflowClient(tracking.uri()).list_artifacts(parent, "reports")] == ["reports/table.csv"]


@pytest.mark.parametrize("place", ["s3://bucket/mlruns/7", "/srv/mlruns/7"])
def test_artifacts_of_other_experiments_stay_where_they_are(database: Path, place: str) -> None:
    client = MlflowClient(tracking.uri())
    other = client.create_experiment("other", place)
    before = client.create_run(other).info.artifact_uri
    track_results("s1", [], {}, [])
    (run,) = runs("other")
    assert client.get_experiment(other).artifact_location == place
    assert run.info.artifact_uri == before
    assert before.startswith(place)


def test_artifacts_of_our_own_experiment_in_a_bucket_stay_there(database: Path) -> None:
    client = MlflowClient(tracking.uri())
    client.create_experiment(tracking.RESULTS, "s3://bucket/mlruns/7")
    track_results("s1", [], {}, [])
    (run,) = runs()
    assert run.info.artifact_uri.startswith("s3://bucket/mlruns/7/")


def test_files_are_kept_with_their_run(database: Path, artifact: Path) -> None:
    track_results("s1", [ChildRun("search-x", "sweep", files=[artifact])], {}, [])
    (search,) = (run for run in runs() if run.info.run_name == "search-x")
    assert [a.path for a in MlflowClient(tracking.uri()).list_artifacts(search.info.run_id, "reports")] == [
        "reports/table.csv"
    ]


def test_a_sweep_is_a_parent_of_its_points(database: Path) -> None:
    points = [
        ChildRun(f"mg_scale={value}", "point", {"mg_scale": value}, {"average": value / 100}) for value in (0, 40)
    ]
    parent = track_results("s1", [ChildRun("sweep-mg_scale", "sweep", children=points)], {}, [])
    (sweep,) = (run for run in runs() if run.data.tags.get("mlflow.parentRunId") == parent)
    below = {run.info.run_name: run for run in runs() if run.data.tags.get("mlflow.parentRunId") == sweep.info.run_id}
    assert set(below) == {"mg_scale=0", "mg_scale=40"}
    assert below["mg_scale=40"].data.metrics == {"average": 0.4}
    MlflowClient(tracking.uri()).delete_tag(parent, tracking.DONE_TAG)
    track_results("s1", [ChildRun("sweep-mg_scale", "sweep", children=points)], {}, [])
    assert len(runs()) == 4  # the half-written family is gone, to its last generation


def test_a_childs_own_tags_are_kept(database: Path) -> None:
    track_results("s1", [ChildRun("a study", "user-study", tags={"simulated": "true"})], {}, [])
    (child,) = (run for run in runs() if run.info.run_name == "a study")
    assert child.data.tags["simulated"] == "true" and child.data.tags["kind"] == "user-study"


def test_the_same_state_adds_nothing(database: Path, artifact: Path) -> None:
    first = track_results("s1", CHILDREN, {"k": 30}, [artifact])
    assert track_results("s1", CHILDREN, {"k": 30}, [artifact]) == first
    assert len(runs()) == 3
    track_results("s2", CHILDREN, {"k": 30}, [artifact])
    assert len(runs()) == 6


def test_a_deleted_database_is_restored(database: Path, artifact: Path, migrated: Path) -> None:
    track_results("s1", CHILDREN, {"k": 30}, [artifact])
    before = summary()
    database.unlink()
    shutil.copy(migrated, database)
    track_results("s1", CHILDREN, {"k": 30}, [artifact])
    assert summary() == before


def test_a_half_written_state_is_replaced(database: Path, artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tracking, "_log_series", broken)
        with pytest.raises(KeyboardInterrupt):
            track_results("s1", CHILDREN, {"k": 30}, [artifact])
    track_results("s1", CHILDREN, {"k": 30}, [artifact])
    assert len(runs()) == 3


def git(*arguments: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    return subprocess.run(["git", *who, *arguments], capture_output=True, text=True, check=True).stdout.strip()


def tags_of(run: str) -> dict[str, str]:
    """The revisions among a run's tags, without the prefix of MLflow's names."""
    found = MlflowClient(tracking.uri()).get_run(run).data.tags
    return {
        key.removeprefix("mlflow.source."): value
        for key, value in found.items()
        if key.startswith(("mlflow.source", "dvc"))
    }


def test_a_run_names_the_commit_and_the_lock_that_made_it(database: Path) -> None:
    assert tags_of(track_results("s1", [], {}, [])) == {}
    Path(".gitignore").write_text("mlflow.db\nmlruns\n")
    Path("dvc.lock").write_text("stages: {}\n")
    git("init", "--quiet")
    git("add", ".gitignore", "dvc.lock")
    git("commit", "--quiet", "--message", "x")
    clean = tags_of(track_results("s2", [], {}, []))
    lock = sha256(b"stages: {}\n").hexdigest()
    assert clean == {"git.commit": git("rev-parse", "HEAD"), "git.dirty": "false", "dvc.lock": lock}
    Path("dvc.lock").write_text("stages: {x: {}}\n")
    changed = tags_of(track_results("s3", [], {}, []))
    assert (changed["git.commit"], changed["git.dirty"]) == (clean["git.commit"], "true")
    assert changed["dvc.lock"] != clean["dvc.lock"]


def test_figures_that_differ_are_no_change_of_the_code(database: Path) -> None:
    """data/summary is in git, and evaluate rewrites it before a run is tracked."""
    Path(".gitignore").write_text("mlflow.db\nmlruns\n")
    summary = paths.SUMMARY / "methods/richspace.json"
    summary.parent.mkdir(parents=True)
    summary.write_text('{"fvd": 1.25}\n')
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "x")
    summary.write_text('{"fvd": 1.26}\n')
    assert tags_of(track_results("s1", [], {}, []))["git.dirty"] == "false"


def test_training_is_logged_while_it_goes(database: Path) -> None:
    with live_run("codec", {"spec": {"kl": 0.1}}) as report:
        report(20, {"step": 20, "loss": 1.5}, None)
        assert runs(tracking.TRAINING)[0].data.metrics == {"loss": 1.5}
        report(40, {"psnr_db": 30.0}, np.zeros((4, 4, 3), np.uint8))
    run = runs(tracking.TRAINING)[0]
    assert (run.info.status, run.data.params) == ("FINISHED", {"spec.kl": "0.1"})
    client = MlflowClient(tracking.uri())
    assert client.list_artifacts(run.info.run_id)


def test_training_that_dies_is_a_failed_run(database: Path) -> None:
    with pytest.raises(KeyboardInterrupt), live_run("codec", {}):
        raise KeyboardInterrupt
    assert runs(tracking.TRAINING)[0].info.status == "FAILED"


def test_the_state_follows_names_and_bytes(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_text("1")
    b.write_text("2")
    first = state_of([a, b])
    assert state_of([b, a]) == first
    b.write_text("3")
    assert state_of([a, b]) != first
    assert state_of([a]) != first
