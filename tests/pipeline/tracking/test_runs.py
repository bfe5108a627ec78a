"""What MLflow is told of a method: values, intervals, counts, fingerprints, flags, and FVD by number of clips."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.config import paths
from pipeline.config.params import load
from pipeline.tracking.runs import _cascade_points, _etc_sweeps, _methods, _trials


def test_a_methods_run_carries_its_flags_and_its_curve(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = load(root / "params.yaml")
    monkeypatch.chdir(tmp_path)
    paths.RESULTS.mkdir(parents=True)
    counts = {"method": "richspace", "requested": 3, "generated": 3, "scored": 2}
    rows = [
        {**counts, "metric": "fvd", "value": 9.0, "low": 8.0, "high": 11.0, "flag": "n = 2 < 400", "fingerprint": "ab"},
        {**counts, "metric": "kvd", "value": 1.0, "low": np.nan, "high": np.nan, "flag": "", "fingerprint": "cd"},
    ]
    pd.DataFrame(rows).to_csv(paths.RESULTS / "metrics.csv", index=False)
    points = [(n, seed) for n in (2, 4) for seed in (0, 2)]
    curve = [{"method": m, "n": n, "seed": s, "fvd": 10 * n + s} for m in ("richspace", "x") for n, s in points]
    pd.DataFrame(curve).to_csv(paths.RESULTS / "fvd_by_clips.csv", index=False)
    (run,) = _methods(params)
    assert run.name == "richspace"
    assert run.params["flag.fvd"] == "n = 2 < 400"
    assert "flag.kvd" not in run.params
    assert (run.params["fingerprint.fvd"], run.params["module"]) == ("ab", "pipeline/methods/richspace.py")
    assert (run.metrics["fvd"], run.metrics["fvd_high"], run.metrics["clips_scored"]) == (9.0, 11.0, 2)
    assert "kvd_low" not in run.metrics
    assert [(series.name, series.points) for series in run.series] == [("fvd_by_clips", [(2, 21.0), (4, 41.0)])]


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
    assert run.children[1].params["sr_h"] is None
    assert (run.children[0].metrics["fvd_low"], run.children[0].metrics["clips"]) == (8.0, 60)


def test_without_points_of_the_cascade_there_is_no_run(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = load(root / "params.yaml")
    monkeypatch.chdir(tmp_path)
    assert _cascade_points(params) == []
