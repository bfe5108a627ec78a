"""Results in short, small enough for git: what `dvc metrics` and `dvc plots` compare commits by.

Values are rounded, so that the last digits of another machine are no difference.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from pipeline.evaluation.catalogue import PARAMETERS, SPEED

METHODS, TRAININGS = "methods", "trainings"  # folders of JSON files, one file each
INTERVALS, FVD_BY_CLIPS = "intervals.csv", "fvd_by_clips.csv"
INTERVAL_COLUMNS = ("method", "metric", "value", "low", "high")
FVD_COLUMNS = ("method", "n", "mean", "low", "high")
_DIGITS = "%.4g"
_NOT_COMPARED = (SPEED.name, PARAMETERS.name)  # speed differs from run to run; size is known beforehand
_LOGGED = ("step", "lr", "loss", "grad_norm")  # columns of a history that no validation measures; also loss_<part>


def write_summary(tables: Mapping[str, pd.DataFrame], histories: Sequence[Path], folder: Path) -> None:
    """Write the summary, and remove what an earlier one said of methods and models that are gone.

    Args:
        tables: of the evaluate stage: `metrics` (method, metric, value, low, high) and `fvd_by_clips` (method, n, seed,
            fvd).
        histories: history.csv of each trained model, in a folder of its name.
        folder: gets methods/<name>.json and trainings/<name>.json, {metric: value}; intervals.csv; fvd_by_clips.csv.
    """
    metrics = tables["metrics"]
    compared = metrics[metrics.value.notna() & ~metrics.metric.isin(_NOT_COMPARED)]
    by_method = compared.groupby("method", sort=False)
    _write_values(
        {str(name): dict(zip(own.metric, own.value, strict=True)) for name, own in by_method}, folder / METHODS
    )
    _write_values({path.parent.name: last_validation(path) for path in histories}, folder / TRAININGS)
    _write_table(compared[list(INTERVAL_COLUMNS)], folder / INTERVALS)
    _write_table(fvd_over_draws(tables["fvd_by_clips"]), folder / FVD_BY_CLIPS)


def last_validation(history: Path) -> dict[str, float]:
    """The last value of every metric that validations measured."""
    table = pd.read_csv(history)
    measured = [name for name in table if name not in _LOGGED and not name.startswith("loss_")]
    return {name: float(table[name].dropna().iloc[-1]) for name in measured}


def fvd_over_draws(curves: pd.DataFrame) -> pd.DataFrame:
    """Mean, smallest and largest FVD over the draws of n clips; columns FVD_COLUMNS."""
    found = curves.groupby(["method", "n"], sort=False).fvd.agg(["mean", "min", "max"]).reset_index()
    return found.set_axis(list(FVD_COLUMNS), axis="columns")


def _write_values(values: Mapping[str, Mapping[str, float]], folder: Path) -> None:
    """A JSON file for each name, and no other."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        path.unlink()
    for name, own in values.items():
        rounded = {metric: float(_DIGITS % value) for metric, value in own.items()}
        (folder / f"{name}.json").write_text(json.dumps(rounded, indent=2) + "\n", encoding="utf-8")


def _write_table(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, index=False, float_format=_DIGITS)
