"""Metrics and plots of dvc.yaml name files and columns that are written, and DVC shows them."""

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from pipeline.config import params
from pipeline.evaluation.curves import CURVE_COLUMNS
from pipeline.evaluation.dvc_metrics import write_summary
from pipeline.evaluation.values import COLUMNS

METHODS = ("richspace", "harivo")


@pytest.fixture(scope="module")
def checkout(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What DVC reads to show metrics and plots, with a summary of two methods."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(root / name, folder)
    shutil.copytree(root / ".dvc/plots", folder / ".dvc/plots")
    (folder / ".dvc/config").write_text("[core]\n    no_scm = true\n    analytics = false\n    check_update = false\n")
    for history in (root / "models/world").glob("*/history.csv"):
        target = folder / history.relative_to(root)
        target.parent.mkdir(parents=True)
        shutil.copy(history, target)
    value = {"metric": "fvd", "value": 210.5, "low": 200.5, "high": 220.5}
    tables = {
        "metrics": pd.DataFrame([{"method": name, **value} for name in METHODS], columns=list(COLUMNS)),
        "fvd_by_clips": pd.DataFrame(
            [{"method": name, "n": 16, "seed": 0, "fvd": 9.5} for name in METHODS], columns=list(CURVE_COLUMNS)
        ),
    }
    write_summary(tables, sorted(folder.glob("models/world/*/history.csv")), folder / "data/summary")
    return folder


@pytest.fixture(scope="module")
def plots(checkout: Path) -> dict[str, dict[str, Any]]:
    entries = yaml.safe_load((checkout / "dvc.yaml").read_text())["plots"]
    return {title: plot for entry in entries for title, plot in entry.items()}


def dvc(checkout: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "failed" not in done.stderr
    return done.stdout


def fields_of(template: Path) -> set[str]:
    """The columns that a template reads beside those that dvc.yaml names."""
    text = template.read_text()
    read = {*re.findall(r'"field": "(\w+)"', text), *re.findall(r"datum\.(\w+)", text)}
    return read - set(re.findall(r'"as": "(\w+)"', text)) - {"rev", "filename", "field"}  # DVC's own


def test_plots_name_columns_that_are_written(checkout: Path, plots: dict[str, dict[str, Any]]) -> None:
    for plot in plots.values():
        further = fields_of(checkout / f".dvc/plots/{plot['template']}.json")
        for file, columns in plot["y"].items():
            with (checkout / file).open() as lines:
                written = set(next(csv.reader(lines)))
            assert {plot["x"], *([columns] if isinstance(columns, str) else columns), *further} <= written, file


@pytest.mark.parametrize("title", ["Training loss", "Validation"])
def test_every_trained_model_has_its_curves(root: Path, plots: dict[str, dict[str, Any]], title: str) -> None:
    trained = {f"models/world/{name}/history.csv" for name in params.load(root / "params.yaml").train}
    assert set(plots[title]["y"]) == trained


def test_every_template_is_used(root: Path, plots: dict[str, dict[str, Any]]) -> None:
    assert {path.stem for path in (root / ".dvc/plots").iterdir()} == {plot["template"] for plot in plots.values()}


def test_dvc_shows_metrics_of_methods_and_trainings(checkout: Path) -> None:
    shown = json.loads(dvc(checkout, "metrics", "show", "--json"))[""]["data"]
    assert shown["data/summary/methods/harivo.json"]["data"] == {"fvd": 210.5}
    reached = pd.read_csv(checkout / "models/world/codec/history.csv").psnr_db.iloc[-1]
    assert shown["data/summary/trainings/codec.json"]["data"]["psnr_db"] == pytest.approx(reached, abs=0.01)
    assert len(shown) == len(METHODS) + len(list((checkout / "models/world").iterdir()))


def test_dvc_shows_plots(checkout: Path, plots: dict[str, dict[str, Any]]) -> None:
    dvc(checkout, "plots", "show")
    specs = re.findall(r"var spec = (\{.*\});", (checkout / "dvc_plots/index.html").read_text())
    shown = {spec["title"]["text"]: spec for spec in map(json.loads, specs)}
    assert set(shown) == {plot["title"] for plot in plots.values()}
    assert "<DVC_METRIC" not in "".join(specs)
    rows = shown[plots["Methods with their intervals"]["title"]]["data"]["values"]
    assert {(row["method"], row["low"], row["high"]) for row in rows} == {(name, "200.5", "220.5") for name in METHODS}
