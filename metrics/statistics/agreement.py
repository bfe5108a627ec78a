"""Agreement of a metric with people: rank and linear correlations, overall and within groups, with intervals.

Intervals are symmetric in Fisher's z = artanh(r). Of independent items the variance of z is 1 / (n - 3) for Pearson's
(Fisher 1921), (1 + r² / 2) / (n - 3) for Spearman's (Bonett & Wright 2000), and 0.437 / (n - 4) for Kendall's where no
column has ties (Fieller, Hartley & Pearson 1957). With ties, which ratings have, that is too little for Kendall's: it
and every correlation of items in clusters (several ratings of one prompt) take theirs from a jackknife, with Student's
quantile.
"""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from metrics.statistics.bootstrap import NOTHING, Interval, Uncertainty

CORRELATIONS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "pearson": lambda x, y: stats.pearsonr(x, y).statistic,
    "spearman": lambda x, y: stats.spearmanr(x, y).statistic,
    "kendall_b": lambda x, y: stats.kendalltau(x, y, variant="b").statistic,
    "kendall_c": lambda x, y: stats.kendalltau(x, y, variant="c").statistic,
}
OVERALL = "overall"
_ROUNDING = 1e-12  # a correlation that is nearer to 1 is 1
_GROUPS = 200  # at most so many parts are left out in turn


def agreement(
    table: pd.DataFrame,
    metric: str,
    human: str,
    group: str | None = None,
    uncertainty: Uncertainty | None = None,
    cluster: str | None = None,
) -> pd.DataFrame:
    """Correlations of two columns of a table with one row per rated item.

    Args:
        table: one row per item. metric, human: names of numeric columns. group: a column whose values part the items
            (a prompt category, a model); None for none. uncertainty: of the intervals; resamples 0 makes none. cluster:
            a column whose values say which items are not independent (a prompt); None: all are.

    Returns:
        Columns group ("overall", then each group), n, correlation, value, low, high. kendall_b corrects for ties,
        kendall_c for scales of unequal length. NaN where a column is constant or a group has fewer than three items;
        NaN bounds below four items (five for Kendall's) and three clusters, and at -1 and 1, where z is infinite.

    Raises:
        ValueError: naming the column and row of what is missing or no number.
    """
    uncertainty = uncertainty or Uncertainty()
    columns = [_numbers(table, name) for name in (metric, human)]
    parts = [(OVERALL, np.ones(len(table), bool))]
    if group is not None:
        names = _names(table, group, "the name of a group")
        parts += [(str(key), (names == key).to_numpy()) for key in names.drop_duplicates()]
    clusters = None if cluster is None else pd.factorize(_names(table, cluster, "the name of a cluster"))[0]
    rows = []
    for name, kept in parts:
        x, y = (column[kept] for column in columns)
        for correlation in CORRELATIONS:
            own = None if clusters is None else clusters[kept]
            interval = _with_interval(correlation, x, y, own, uncertainty)
            rows.append({"group": name, "n": len(x), "correlation": correlation} | vars(interval))
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


def _names(table: pd.DataFrame, column: str, expected: str) -> pd.Series:
    """A column without empty fields."""
    if column not in table:
        raise ValueError(f"no column {column!r}, expected one of {', '.join(map(str, table))}")
    empty = np.flatnonzero(table[column].isna())
    if len(empty):
        raise ValueError(f"row {empty[0] + 2}, field {column}: empty, expected {expected}")
    return table[column]


def _with_interval(
    correlation: str, x: np.ndarray, y: np.ndarray, clusters: np.ndarray | None, uncertainty: Uncertainty
) -> Interval:
    """A correlation of two columns with its interval; clusters: the code of each item's, None for independent items."""
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return NOTHING
    value = float(CORRELATIONS[correlation](x, y))
    if not uncertainty.resamples or abs(value) > 1 - _ROUNDING:
        return Interval(value, float("nan"), float("nan"))
    tied = min(len(np.unique(x)), len(np.unique(y))) < len(x)
    if clusters is not None or (tied and correlation.startswith("kendall")):
        units = np.arange(len(x)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
        reach = _jackknifed(CORRELATIONS[correlation], x, y, units, uncertainty)
    else:
        reach = stats.norm.ppf(uncertainty.tails[1]) * np.sqrt(_variance(correlation, value, len(x)))
    low, high = np.tanh(np.arctanh(value) + reach * np.array([-1, 1]))
    return Interval(value, float(low), float(high))


def _variance(correlation: str, value: float, n: int) -> float:
    """The variance of Fisher's z of independent items without ties; NaN of too few."""
    numerator, lost = {"pearson": (1, 3), "spearman": (1 + value**2 / 2, 3)}.get(correlation, (0.437, 4))
    return numerator / (n - lost) if n > lost else float("nan")


def _jackknifed(
    measure: Callable[[np.ndarray, np.ndarray], float],
    x: np.ndarray,
    y: np.ndarray,
    units: np.ndarray,
    uncertainty: Uncertainty,
) -> float:
    """Half the width of the interval of Fisher's z, from leaving out each unit (n,), 0 … units - 1, in turn.

    More than 200 units are left out in as many groups, drawn at random.
    """
    groups = int(units.max()) + 1
    if groups > _GROUPS:
        units = (np.random.default_rng(uncertainty.seed).permutation(groups) % _GROUPS)[units]
        groups = _GROUPS
    if groups < 3 or len(x) < 5:
        return float("nan")
    with warnings.catch_warnings():
        for expected in (stats.ConstantInputWarning, RuntimeWarning):
            warnings.simplefilter("ignore", expected)  # a column is constant without a unit, which then says nothing
        left = np.array([measure(x[units != unit], y[units != unit]) for unit in range(groups)])
    left = left[np.isfinite(left)]
    if len(left) < 3:
        return float("nan")
    spread = np.sqrt((len(left) - 1) * left.var()) / (1 - measure(x, y) ** 2)  # that of r by dz/dr
    return float(stats.t.ppf(uncertainty.tails[1], len(left) - 1) * spread)
