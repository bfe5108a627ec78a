"""What MLflow is told of sweeps, trials and points."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.config import paths
from pipeline.config.params import load
from pipeline.sweeps.tables import LAMBDAS
from pipeline.tracking.points import _cascade_points, _etc_sweeps, _sweeps, _trials


def test_points_of_alpha_have_no_training_of_their_own(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = load(root / "params.yaml")
    monkeypatch.chdir(tmp_path)
    paths.RESULTS.mkdir(parents=True)
    counts = {"requested": 24, "metric": "average", "value": 0.5, "low": 0.4, "high": 0.6}
    pd.DataFrame([{"method": name, **counts} for name in params.harivo.sweep.points]).to_csv(paths.SWEPT, index=False)
    sweeps = {run.name: run for run in _sweeps(params)}
    assert all(run.kind == "sweep" and run.params["method"] == "harivo" for run in sweeps.values())
    of_alpha = {child.name: child for child in sweeps["sweep-mg_scale"].children}
    assert "steps" not in of_alpha["mg_scale=5"].params and of_alpha["mg_scale=5"].params["mg_scale"] == 5
    of_lambda = sweeps["sweep-lambda_trs"].children[0]
    assert (of_lambda.kind, of_lambda.params["steps"]) == ("point", params.harivo.sweep.steps)
    assert set(LAMBDAS) < set(of_lambda.params) and set(of_lambda.metrics) == {"average", "average_low", "average_high"}


def test_etcs_sweeps_are_parents_of_their_points(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = load(root / "params.yaml")
    monkeypatch.chdir(tmp_path)
    paths.RESULTS.mkdir(parents=True)
    counts = {"requested": 60, "metric": "fvd", "value": 9.0, "low": 8.0, "high": 11.0}
    pd.DataFrame([{"method": name, **counts} for name in params.etc.measured]).to_csv(paths.ETC_POINTS, index=False)
    runs = {run.name: run.children for run in _etc_sweeps(params)}
    assert set(runs) == {"sweep-etc-rate", "sweep-etc-used", "sweep-etc-filter_ratio"}
    assert [child.name for child in runs["sweep-etc-rate"]] == ["rate=1", "rate=8", "rate=15", "rate=60"]
    assert [child.name for child in runs["sweep-etc-used"]][:2] == ["used=80, steps=400", "used=80, steps=1000"]
    point = runs["sweep-etc-filter_ratio"][0]
    assert (point.params["filter_ratio"], point.params["clips"], point.metrics["fvd_high"]) == (0.1, 60, 11.0)


def test_trials_have_a_run_each_with_their_curves(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = load(root / "params.yaml")
    monkeypatch.chdir(tmp_path)
    paths.RESULTS.mkdir(parents=True)
    counts = {"requested": 24, "metric": "average", "value": 0.5, "low": 0.4, "high": 0.6}
    names = list(params.harivo.trials.points)
    pd.DataFrame([{"method": name, **counts} for name in names]).to_csv(paths.TRIALS, index=False)
    for name in names:
        paths.trial(name).mkdir(parents=True)
        curves = pd.DataFrame({"step": [20, 40], "loss": [0.5, 0.25], "validation_loss": [np.nan, 0.125]})
        curves.to_csv(paths.trial(name) / paths.HISTORY, index=False)
    (run,) = _trials(params)
    assert [child.name for child in run.children] == names
    point = run.children[names.index("queue_64")]
    assert (point.params["training"], point.params["queue"], point.params["clips"]) == ("harivo_trs_dc", 64, 24)
    assert (point.metrics["average"], point.metrics["validation_loss"]) == (0.5, 0.125)
    assert {one.name: one.points for one in point.series}["loss"] == [(20, 0.5), (40, 0.25)]


def test_points_of_the_cascade_have_a_run_each(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = load(root / "params.yaml")
    monkeypatch.chdir(tmp_path)
    paths.RESULTS.mkdir(parents=True)
    counts = {"requested": 60, "metric": "fvd", "value": 9.0, "low": 8.0, "high": 11.0}
    found = ["whole", "without_sr"]
    pd.DataFrame([{"method": name, **counts} for name in found]).to_csv(paths.CASCADE_POINTS, index=False)
    (run,) = _cascade_points(params)
    assert run.params == {"method": "make_a_video"}
    assert [child.name for child in run.children] == found
    assert run.children[1].params["sr_h"] == "none"
    assert (run.children[0].metrics["fvd_low"], run.children[0].metrics["clips"]) == (8.0, 60)


def test_without_points_of_the_cascade_there_is_no_run(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = load(root / "params.yaml")
    monkeypatch.chdir(tmp_path)
    assert _cascade_points(params) == []
