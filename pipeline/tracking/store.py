"""The only module that talks to MLflow: live training runs, and the results of the DAG.

Result files are the truth. `track_results` turns them into one parent run per state of the results; a state that is
already there adds nothing, and a deleted database is restored by running it again.
"""

import hashlib
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config import paths
from pipeline.config.revision import revision

log = logging.getLogger(__name__)

RESULTS, TRAINING = "reelbench", "reelbench-training"
STATE_TAG, PARENT_TAG, DONE_TAG = "reelbench.state", "mlflow.parentRunId", "reelbench.complete"
_BATCH = 500  # MLflow takes at most 1,000 metrics in a call


@dataclass(frozen=True)
class Series:
    """A metric over steps: (step, value) pairs."""

    name: str
    points: list[tuple[int, float]]


@dataclass(frozen=True)
class ChildRun:
    """One child run: parameters, final metrics and curves, children of its own, and tags."""

    name: str
    params: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)
    children: list["ChildRun"] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)


def uri() -> str:
    """MLFLOW_TRACKING_URI, else a sqlite file in the working directory."""
    return os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"


def _client() -> Any:
    from mlflow import MlflowClient

    for name in ("alembic", "mlflow"):  # what they log about creating a database helps no user
        logging.getLogger(name).setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=uri())


def _experiment(client: Any, name: str) -> str:
    experiment = client.get_experiment_by_name(name)
    return experiment.experiment_id if experiment else client.create_experiment(name)


@contextmanager
def live_run(name: str, params: dict[str, Any]) -> Iterator[Any]:
    """A run that is written while training goes on; yields report(step, metrics, picture or None)."""
    from PIL import Image

    client = _client()
    run = client.create_run(_experiment(client, TRAINING), run_name=name, tags=_revisions())
    for section, values in params.items():
        for key, value in values.items():
            client.log_param(run.info.run_id, f"{section}.{key}", value)

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
    parent = client.create_run(
        experiment, run_name=f"results-{state[:8]}", tags={STATE_TAG: state, **_revisions()}
    ).info.run_id
    for key, value in params.items():
        client.log_param(parent, key, value)
    for child in children:
        _write_child(client, experiment, parent, child)
    for path in artifacts:
        client.log_artifact(parent, str(path), artifact_path=path.parent.as_posix())
    client.set_tag(parent, DONE_TAG, "true")
    client.set_terminated(parent)
    return parent


def _write_child(client: Any, experiment: str, parent: str, child: ChildRun) -> None:
    tags = {PARENT_TAG: parent, **_revisions(), **child.tags}
    run = client.create_run(experiment, run_name=child.name, tags=tags).info.run_id
    for key, value in child.params.items():
        client.log_param(run, key, value)
    final = [Series(name, [(0, value)]) for name, value in child.metrics.items()]
    _log_series(client, run, [*final, *child.series])
    for grandchild in child.children:
        _write_child(client, experiment, run, grandchild)
    client.set_terminated(run)


def _log_series(client: Any, run: str, series: list[Series]) -> None:
    from mlflow.entities import Metric

    now = time.time_ns() // 1_000_000
    points = [Metric(s.name, value, now, step) for s in series for step, value in s.points if np.isfinite(value)]
    for i in range(0, len(points), _BATCH):
        client.log_batch(run, metrics=points[i : i + _BATCH])


def _delete_family(client: Any, experiment: str, parent: str) -> None:
    for child in client.search_runs([experiment], f"tags.`{PARENT_TAG}` = '{parent}'"):
        _delete_family(client, experiment, child.info.run_id)
    client.delete_run(parent)


def _revisions() -> dict[str, str]:
    """Git commit and state, and the hash of dvc.lock, as tags; empty values where there is no repository."""
    code, lock = revision(), paths.LOCK
    return {
        "git.commit": code.commit,
        "git.dirty": str(code.changed).lower() if code.commit else "",
        "dvc.lock": hashlib.sha256(lock.read_bytes()).hexdigest() if lock.exists() else "",
    }
