"""The results of HARIVO's sweeps of α and the weights λ: a row per point, and which points each sweep has."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config import paths
from pipeline.config.params import Params

LAMBDAS = ("lambda_trs", "lambda_reg", "lambda_dc")


def read(params: Params) -> pd.DataFrame:
    """A row for every point: `point`, its α and λ, `steps` of its short training (0 where it samples shipped weights),
    `clips`, and metric, metric_low, metric_high of each metric that the evaluate stage found.

    Raises:
        FileNotFoundError: if a point has no results.
    """
    sweep, results = params.harivo.sweep, results_of(paths.SWEPT)
    missing = [name for name in sweep.points if name not in results]
    if missing:
        raise FileNotFoundError(f"{paths.SWEPT} lacks the point {missing[0]}: run the sweep and the evaluate stage")
    rows = [_parameters(params, name) | measured(results[name]) for name in sweep.points]
    return pd.DataFrame(rows).sort_values(["mg_scale", *LAMBDAS], ignore_index=True) if rows else pd.DataFrame()


def base_of(params: Params) -> dict[str, float]:
    """The weights λ of the training that the points change."""
    spec = params.train[params.harivo.sweep.training].spec
    return {key: getattr(spec, key) for key in LAMBDAS}


def results_of(file: Path) -> dict[str, pd.DataFrame]:
    """The rows of each point of a table of the evaluate stage; none where there is no such file."""
    if not file.is_file():
        return {}
    return dict(iter(pd.read_csv(file, dtype={"method": str}).groupby("method")))


def _parameters(params: Params, name: str) -> dict[str, object]:
    sweep = params.harivo.sweep
    point = sweep.points[name]
    steps = sweep.steps if point.weights else 0
    return {"point": name, "mg_scale": point.mg_scale or 0.0, **base_of(params), **point.weights, "steps": steps}


def measured(values: pd.DataFrame) -> dict[str, float]:
    """`clips` of a point, and each metric with its bounds, from its rows."""
    row: dict[str, float] = {"clips": int(values.requested.iloc[0])}
    for value in values.itertuples():
        row |= {value.metric: value.value, f"{value.metric}_low": value.low, f"{value.metric}_high": value.high}
    return row


def sweeps(points: pd.DataFrame, base: Mapping[str, float]) -> dict[str, pd.DataFrame]:
    """The points of each sweep: α; each λ with the others at their `base`; the grid of each λ off or at its base; no
    sweep where there are no points."""
    if not len(points):
        return {}
    trained = points[points.steps > 0]
    at_base = {key: np.isclose(trained[key], base[key]) for key in LAMBDAS}
    by_sweep = {"mg_scale": points[points.steps == 0]}
    for key in LAMBDAS:
        others = np.all([at_base[other] for other in LAMBDAS if other != key], axis=0)
        by_sweep[key] = trained[others].sort_values(key)
    off_or_base = [at_base[key] | (trained[key] == 0).to_numpy() for key in LAMBDAS]
    by_sweep |= {"lambda_grid": trained[np.all(off_or_base, axis=0)]}
    return {name: own.reset_index(drop=True) for name, own in by_sweep.items()}
