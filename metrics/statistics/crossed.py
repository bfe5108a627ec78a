"""Means over two things that were both drawn and cross one another, as seeds of training and prompts."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from metrics.statistics.bootstrap import Interval


@dataclass(frozen=True)
class CrossedMean:
    """value: the mean. error: its standard error over rows and columns like these. freedom: degrees of freedom of the
    error, by Satterthwaite. rows, columns: standard deviations of what each row and each column adds, at least 0."""

    value: float
    error: float
    freedom: float
    rows: float
    columns: float

    def interval(self, confidence: float = 0.95) -> Interval:
        """Student's t; a single point where nothing varies."""
        if not self.error:
            return Interval(self.value, self.value, self.value)
        half = float(stats.t.ppf((1 + confidence) / 2, self.freedom)) * self.error
        return Interval(self.value, self.value - half, self.value + half)

    @property
    def p(self) -> float:
        """Two-sided, of a mean of 0."""
        if not self.error:
            return 1.0 if self.value == 0 else 0.0
        return float(2 * stats.t.sf(abs(self.value) / self.error, self.freedom))


def crossed_mean(values: np.ndarray) -> CrossedMean:
    """The mean of a table whose rows and columns are both draws from what could have been drawn.

    Two-way random effects without replication: with the mean squares of rows, columns and the rest, the variance of the
    mean is (MS_r + MS_c − MS_e) / (R C) (Searle, Casella and McCulloch 1992, Section 4.3), here never less than what
    rows alone or columns alone make of it; its degrees of freedom are Satterthwaite's (1946). With three rows an
    interval is wide, because three draws say little of how much rows differ; of 3 rows and 100 columns intervals of
    95 % hold in 92 to 97 % of draws, of 2 rows in 87 % where rows differ by a fifth of the rest.

    Args:
        values: (R, C), at least two of each.

    Raises:
        ValueError: if there are fewer, or a value is missing.
    """
    table = np.asarray(values, np.float64)
    if table.ndim != 2 or min(table.shape) < 2:
        raise ValueError(f"values are {table.shape}, expected at least two rows and two columns")
    if not np.isfinite(table).all():
        raise ValueError("a value is missing: every row must have every column")
    rows, columns = table.shape
    mean, by_row, by_column = table.mean(), table.mean(axis=1), table.mean(axis=0)
    rest = table - by_row[:, None] - by_column + mean
    freedom = np.array([rows - 1, columns - 1, (rows - 1) * (columns - 1)], float)
    of_rows, of_columns = columns * by_row.var(ddof=1), rows * by_column.var(ddof=1)
    squares = np.array([of_rows, of_columns, (rest**2).sum() / freedom[2]])
    weights = _ESTIMATES[np.argmax(_ESTIMATES @ squares)]
    variance = float(weights @ squares)
    by_term = float(((weights * squares) ** 2 / freedom).sum())
    added = np.sqrt(np.maximum(0, squares[:2] - squares[2]) / (columns, rows))
    error = float(np.sqrt(variance / table.size))
    return CrossedMean(float(mean), error, variance**2 / by_term if by_term else np.inf, *map(float, added))


_ESTIMATES = np.array([[1, 0, 0], [0, 1, 0], [1, 1, -1]], float)  # of the variance: rows alone, columns alone, both
