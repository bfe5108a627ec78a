"""HARIVO's sweeps of α and the weights λ: the results of their points, point by point in pipeline/training/point.py."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

LAMBDAS = ("lambda_trs", "lambda_reg", "lambda_dc")


def read(folder: Path, points: Iterable[str]) -> pd.DataFrame:
    """A row for every named point: its parameters, steps, clips, and metric, metric_low, metric_high of each metric.

    Raises:
        FileNotFoundError: if a point has no result.
    """
    rows = []
    for name in points:
        path = folder / f"{name}.json"
        if not path.is_file():
            raise FileNotFoundError(f"{path} not found: run the sweep stage (dvc repro sweep@{name})")
        result = json.loads(path.read_text(encoding="utf-8"))
        row = {"point": name} | {key: value for key, value in result.items() if key != "metrics"}
        for name, found in result["metrics"].items():
            row |= {name: found["value"], f"{name}_low": found["low"], f"{name}_high": found["high"]}
        rows.append(row)
    return pd.DataFrame(rows).sort_values(["mg_scale", *LAMBDAS], ignore_index=True) if rows else pd.DataFrame()


def sweeps(points: pd.DataFrame, base: Mapping[str, float]) -> dict[str, pd.DataFrame]:
    """The points of each sweep: α; each λ with the others at their `base`; the grid of each λ off or at its base."""
    trained = points[points.steps > 0]
    at_base = {key: np.isclose(trained[key], base[key]) for key in LAMBDAS}
    found = {"mg_scale": points[points.steps == 0]}
    for key in LAMBDAS:
        others = np.all([at_base[other] for other in LAMBDAS if other != key], axis=0)
        found[key] = trained[others].sort_values(key)
    off_or_base = [at_base[key] | (trained[key] == 0).to_numpy() for key in LAMBDAS]
    found |= {"lambda_grid": trained[np.all(off_or_base, axis=0)]}
    return {name: own.reset_index(drop=True) for name, own in found.items()}
