"""The summary that commits are compared by: every method and model, rounded, nothing of a run before."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluation.curves import CURVE_COLUMNS
from pipeline.evaluation.dvc_metrics import write_summary
from pipeline.evaluation.values import COLUMNS


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    rows = [
        {"method": "b", "metric": "fvd", "value": 220.2432151989, "low": 139.10751, "high": 324.7585},
        {"method": "b", "metric": "frames_per_second", "value": 8.7},
        {"method": "b", "metric": "parameters", "value": 3724416.0},
        {"method": "001", "metric": "kvd", "value": -0.26351512, "low": -1.9665327, "high": 2.0},
        {"method": "001", "metric": "clipsim", "value": np.nan},
    ]
    draws = [(16, 0, 358.95496), (16, 1, 340.0), (16, 2, 300.0), (32, 0, 220.24321)]
    curve = [{"method": "b", "n": n, "seed": seed, "fvd": fvd} for n, seed, fvd in draws]
    return {
        "metrics": pd.DataFrame(rows, columns=list(COLUMNS)),
        "fvd_by_clips": pd.DataFrame(curve, columns=list(CURVE_COLUMNS)),
    }


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "codec/history.csv"
    path.parent.mkdir()
    path.write_text(
        "step,loss,loss_l1,grad_norm,lr,psnr_db\n1,9,8,7,6,\n2,9,8,7,6,20.0\n3,9,8,7,6,30.123456\n4,1,1,1,1,\n"
    )
    return path


def values_in(folder: Path) -> dict[str, dict[str, float]]:
    return {path.name: json.loads(path.read_text()) for path in folder.iterdir()}


def test_values_are_rounded_and_those_that_say_nothing_are_left_out(
    tables: dict[str, pd.DataFrame], history: Path, tmp_path: Path
) -> None:
    write_summary(tables, [history], tmp_path / "summary")
    assert values_in(tmp_path / "summary/methods") == {"b.json": {"fvd": 220.2}, "001.json": {"kvd": -0.2635}}
    assert values_in(tmp_path / "summary/trainings") == {"codec.json": {"psnr_db": 30.12}}
    expected = "method,metric,value,low,high\nb,fvd,220.2,139.1,324.8\n001,kvd,-0.2635,-1.967,2\n"
    assert (tmp_path / "summary/intervals.csv").read_text() == expected


def test_fvd_has_the_mean_and_the_range_of_its_draws(
    tables: dict[str, pd.DataFrame], history: Path, tmp_path: Path
) -> None:
    write_summary(tables, [history], tmp_path)
    lines = (tmp_path / "fvd_by_clips.csv").read_text().splitlines()
    assert lines == ["method,n,mean,low,high", "b,16,333,300,359", "b,32,220.2,220.2,220.2"]


def test_methods_and_models_that_are_gone_are_removed(
    tables: dict[str, pd.DataFrame], history: Path, tmp_path: Path
) -> None:
    write_summary(tables, [history], tmp_path / "summary")
    tables["metrics"] = tables["metrics"][tables["metrics"].method == "b"]
    write_summary(tables, [], tmp_path / "summary")
    assert list(values_in(tmp_path / "summary/methods")) == ["b.json"]
    assert values_in(tmp_path / "summary/trainings") == {}
