"""Agreement of a metric with people: rank and linear correlations, overall and within groups, with intervals."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from metrics.statistics.bootstrap import Uncertainty

CORRELATIONS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "pearson": lambda x, y: stats.pearsonr(x, y).statistic,
    "spearman": lambda x, y: stats.spearmanr(x, y).statistic,
    "kendall_b": lambda x, y: stats.kendalltau(x, y, variant="b").statistic,
    "kendall_c": lambda x, y: stats.kendalltau(x, y, variant="c").statistic,
}
OVERALL = "overall"


def agreement(
    table: pd.DataFrame, metric: str, human: str, group: str | None = None, uncertainty: Uncertainty | None = None
) -> pd.DataFrame:
    """Correlations of two columns of a table with one row per rated item.

    Args:
        table: one row per item. metric, human: names of numeric columns. group: a column whose values part the items
            (a prompt category, a model); None for none. uncertainty: the bootstrap over
            items.

    Returns:
        Columns group ("overall", then each group), n, correlation, value, low, high. kendall_b corrects for ties,
        kendall_c for scales of unequal length. NaN where a column is constant or a group has fewer than three items.

    Raises:
        ValueError: naming the column and row of what is missing or no number.
    """
    uncertainty = uncertainty or Uncertainty()
    columns = [_numbers(table, name) for name in (metric, human)]
    parts = [(OVERALL, np.ones(len(table), bool))]
    if group is not None:
        if group not in table:
            raise ValueError(f"no column {group!r}, expected one of {', '.join(map(str, table))}")
        empty = np.flatnonzero(table[group].isna())
        if len(empty):
            raise ValueError(f"row {empty[0] + 2}, field {group}: empty, expected the name of a group")
        parts += [(str(key), (table[group] == key).to_numpy()) for key in table[group].drop_duplicates()]
    rows = []
    for name, kept in parts:
        x, y = (column[kept] for column in columns)
        for correlation, measure in CORRELATIONS.items():
            value, low, high = _with_interval(measure, x, y, uncertainty)
            interval = {"value": value, "low": low, "high": high}
            rows.append({"group": name, "n": len(x), "correlation": correlation} | interval)
    return pd.DataFrame(rows)


def read_ratings(path: Path) -> pd.DataFrame:
    """A table of ratings from CSV.

    Raises:
        ValueError: if the file is missing, no CSV or without rows.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    try:
        table = pd.read_csv(path)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a CSV table: {error}") from error
    if not len(table):
        raise ValueError(f"{path}: no rows")
    return table


def _numbers(table: pd.DataFrame, name: str) -> np.ndarray:
    if name not in table:
        raise ValueError(f"no column {name!r}, expected one of {', '.join(map(str, table))}")
    numbers = pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        row = int(wrong[0])
        raise ValueError(f"row {row + 2}, field {name}: {table[name].iloc[row]!r} is no finite number")
    return numbers


def _with_interval(
    measure: Callable[[np.ndarray, np.ndarray], float], x: np.ndarray, y: np.ndarray, uncertainty: Uncertainty
) -> tuple[float, float, float]:
    """The correlation, and the percentiles of its resamples; those in which a column is constant say nothing."""
    nan = float("nan")
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return nan, nan, nan
    if not uncertainty.resamples:
        return float(measure(x, y)), nan, nan
    with warnings.catch_warnings():
        for expected in (stats.ConstantInputWarning, stats.DegenerateDataWarning, RuntimeWarning):
            warnings.simplefilter("ignore", expected)  # resamples in which a column is constant
        drawn = stats.bootstrap(
            (x, y),
            measure,
            paired=True,
            vectorized=False,
            n_resamples=uncertainty.resamples,
            method="percentile",
            rng=np.random.default_rng(uncertainty.seed),
        ).bootstrap_distribution
    low, high = np.nanquantile(drawn, [(1 - uncertainty.confidence) / 2, (1 + uncertainty.confidence) / 2])
    return float(measure(x, y)), float(low), float(high)
