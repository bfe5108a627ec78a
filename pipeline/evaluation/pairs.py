"""Two methods' outcomes of the same prompt or mixture, and seed, side by side; the test on those that are yes or no."""

from collections.abc import Sequence

import pandas as pd

from metrics.scoring.metric import Comparison
from metrics.statistics.bootstrap import Interval
from metrics.statistics.proportions import McNemar, mcnemar


def side_by_side(
    first: pd.DataFrame, second: pd.DataFrame, key: Sequence[str], column: str
) -> tuple[pd.Series, pd.Series]:
    """One column of both, a row for each key that both have, in the order of the keys."""
    if not len(first) or not len(second):
        return pd.Series(dtype=float), pd.Series(dtype=float)
    sides = [table.drop_duplicates(list(key)).set_index(list(key))[column].dropna() for table in (first, second)]
    shared = sides[0].index.intersection(sides[1].index).sort_values()
    return sides[0].loc[shared], sides[1].loc[shared]


def tested_outcomes(
    first: pd.DataFrame, second: pd.DataFrame, key: Sequence[str], column: str
) -> tuple[McNemar, int] | None:
    """McNemar's exact test of a boolean column, and the number of pairs; None if there is none."""
    sides = side_by_side(first, second, key, column)
    if not len(sides[0]):
        return None
    return mcnemar(*(side.to_numpy(bool) for side in sides)), len(sides[0])


def compare_outcomes(first: pd.DataFrame, second: pd.DataFrame, key: Sequence[str], column: str) -> Comparison | None:
    """The difference of two shares of yes on the same items, with McNemar's p and without an interval."""
    tested = tested_outcomes(first, second, key, column)
    if tested is None:
        return None
    test, pairs = tested
    difference = (test.only_first - test.only_second) / pairs
    return Comparison(Interval(difference, float("nan"), float("nan")), pairs, test.p)
