"""The only module that talks to MLflow: live training runs, and the results of the DAG.

Result files are the truth. `track_results` turns them into one parent run per state of the results; a state that is
already there adds nothing, and a deleted database is restored by running it again.
"""

import hashlib
import logging
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config import paths
from pipeline.config.revision import revision
from pipeline.tracking.opening import RESULTS, TRAINING, opens_with

log = logging.getLogger(__name__)

KIND_TAG, RESULTS_TAG = "kind", "results"  # of every run: what it is, and the name of its parent of all
STATE_TAG, PARENT_TAG, DONE_TAG = "reelbench.state", "mlflow.parentRunId", "reelbench.complete"
_SQLITE = "sqlite:///"
_METRICS, _PARAMS = 500, 100  # in a call; MLflow takes at most 1,000 and 100


@dataclass(frozen=True)
class Series:
    """A metric over steps: (step, value) pairs."""

    name: str
    points: list[tuple[int, float]]


@dataclass(frozen=True)
class ChildRun:
    """One child run: what kind it is, parameters (None is not logged), final metrics and curves, children of its own,
    tags, and files to keep with it."""

    name: str
    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)
    children: list["ChildRun"] = field(default_factory=list)
    tags: Mapping[str, str] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)


def uri() -> str:
    """MLFLOW_TRACKING_URI, else a sqlite file in the working directory."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"{_SQLITE}mlflow.db"


def _client() -> Any:
    from mlflow import MlflowClient

    for name in ("alembic", "mlflow"):  # what they log about creating a database helps no user
        logging.getLogger(name).setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=uri())


def _experiment(client: Any, name: str) -> str:
    """The id of an experiment, which has what it opens with; what somebody wrote in its place stays."""
    experiment = client.get_experiment_by_name(name)
    own = experiment.experiment_id if experiment else client.create_experiment(name)
    there = experiment.tags if experiment else {}
    for key, value in opens_with(name, own).items():
        if key not in there:
            client.set_experiment_tag(own, key, value)
    _make_relative(Path(uri().removeprefix(_SQLITE)))
    return own


def _make_relative(database: Path) -> None:
    """Artifact locations of our experiments as seen from the working directory, if the database is a file there: so
    both can be moved.

    MLflow makes the path absolute when it creates an experiment, takes a relative one as it is when it reads or writes,
    and has no call that changes it. Other experiments of the database, and buckets, stay as they are.
    """
    if not (uri().startswith(_SQLITE) and database.absolute().parent == Path.cwd()):
        return
    ours = "experiment_id IN (SELECT experiment_id FROM experiments WHERE name IN (?, ?))"
    with closing(sqlite3.connect(database)) as connection, connection:
        for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri")):
            relative = f"SET {column} = substr({column}, instr({column}, '/mlruns/') + 1)"
            absolute = f"{column} LIKE '/%' AND instr({column}, '/mlruns/') > 0"
            connection.execute(f"UPDATE {table} {relative} WHERE {absolute} AND {ours}", (RESULTS, TRAINING))


@contextmanager
def live_run(name: str, params: dict[str, Any]) -> Iterator[Any]:
    """A run that is written while training goes on; yields report(step, metrics, picture or None)."""
    from PIL import Image

    client = _client()
    tags = {KIND_TAG: "training", **_revisions()}
    run = client.create_run(_experiment(client, TRAINING), run_name=name, tags=tags)
    named = {f"{section}.{key}": value for section, values in params.items() for key, value in values.items()}
    _log_params(client, run.info.run_id, named)

    def report(step: int, metrics: dict[str, float], picture: np.ndarray | None) -> None:
        values = [(key, float(value)) for key, value in metrics.items() if key != "step"]
        try:
            _log_series(client, run.info.run_id, [Series(key, [(step, value)]) for key, value in values])
            if picture is not None:
                client.log_image(run.info.run_id, Image.fromarray(picture), key="validation", step=step)
        except Exception as error:  # whatever a store or a network raises: hours of training are worth more
            log.warning("step %d was not logged to MLflow: %s", step, error)

    status = "FAILED"
    try:
        yield report
        status = "FINISHED"
    finally:
        client.set_terminated(run.info.run_id, status)


def state_of(files: list[Path]) -> str:
    """Hash of the result files: names and bytes."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def track_results(state: str, children: list[ChildRun], params: dict[str, Any], artifacts: list[Path]) -> str:
    """Write one parent run for this state, with a child per entry; returns the parent's id.

    A complete parent of the same state is left as it is; a half-written one (from a kill) is replaced.
    """
    client = _client()
    experiment = _experiment(client, RESULTS)
    for run in client.search_runs([experiment], f"tags.`{STATE_TAG}` = '{state}'"):
        if run.data.tags.get(DONE_TAG) == "true":
            return run.info.run_id
        _delete_family(client, experiment, run.info.run_id)
    name = f"results-{state[:8]}"
    tags = {KIND_TAG: "results", RESULTS_TAG: name, **_revisions()}
    parent = client.create_run(experiment, run_name=name, tags={STATE_TAG: state, **tags}).info.run_id
    _log_params(client, parent, params)
    for child in children:
        _write_child(client, experiment, parent, child, tags)
    for path in artifacts:
        client.log_artifact(parent, str(path), artifact_path=path.parent.as_posix())
    client.set_tag(parent, DONE_TAG, "true")
    client.set_terminated(parent)
    return parent


def _write_child(client: Any, experiment: str, parent: str, child: ChildRun, shared: Mapping[str, str]) -> None:
    """A run below its parent, and its children below it. shared: tags of all runs of a state."""
    tags = {**shared, **child.tags, PARENT_TAG: parent, KIND_TAG: child.kind}
    run = client.create_run(experiment, run_name=child.name, tags=tags).info.run_id
    _log_params(client, run, child.params)
    final = [Series(name, [(0, value)]) for name, value in child.metrics.items()]
    _log_series(client, run, [*final, *child.series])
    for path in child.files:
        client.log_artifact(run, str(path), artifact_path=path.parent.as_posix())
    for grandchild in child.children:
        _write_child(client, experiment, run, grandchild, shared)
    client.set_terminated(run)


def _log_params(client: Any, run: str, params: Mapping[str, Any]) -> None:
    from mlflow.entities import Param

    known = [Param(key, _text(value)) for key, value in params.items() if value is not None]
    for i in range(0, len(known), _PARAMS):
        client.log_batch(run, params=known[i : i + _PARAMS])


def _text(value: Any) -> str:
    """A parameter as one would type it into a filter: 4, not 4.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _log_series(client: Any, run: str, series: list[Series]) -> None:
    from mlflow.entities import Metric

    now = time.time_ns() // 1_000_000
    points = [Metric(s.name, value, now, step) for s in series for step, value in s.points if np.isfinite(value)]
    for i in range(0, len(points), _METRICS):
        client.log_batch(run, metrics=points[i : i + _METRICS])


def _delete_family(client: Any, experiment: str, parent: str) -> None:
    for child in client.search_runs([experiment], f"tags.`{PARENT_TAG}` = '{parent}'"):
        _delete_family(client, experiment, child.info.run_id)
    client.delete_run(parent)


def _revisions() -> dict[str, str]:
    """Git commit and state under MLflow's names, and the hash of dvc.lock; none where there is no repository.

    data/summary/ is in git, and evaluate writes it before a run is tracked: results, whose digits differ from machine
    to machine, and no code.
    """
    from mlflow.utils.mlflow_tags import MLFLOW_GIT_COMMIT, MLFLOW_GIT_DIRTY

    code, lock = revision(paths.SUMMARY), paths.LOCK
    git = {MLFLOW_GIT_COMMIT: code.commit, MLFLOW_GIT_DIRTY: str(code.changed).lower()} if code.commit else {}
    return git | ({"dvc.lock": hashlib.sha256(lock.read_bytes()).hexdigest()} if lock.exists() else {})
