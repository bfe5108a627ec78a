"""Best of N: how often each method was picked (ETC, Tables 1 and 4), overall, by profession and by rater.

The denominator of a method are the trials that showed it; "cannot tell" stays in it and has a row of its own, "tie".
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from metrics.statistics.bootstrap import Interval, Uncertainty
from metrics.statistics.proportions import wilson
from metrics.user_study.clusters import Clusters
from metrics.user_study.votes import TIE, methods, split

COLUMNS = ("question", "method", "picked", "votes", "raters", "value", "wilson_low", "wilson_high", "low", "high")


def overall(votes: pd.DataFrame, uncertainty: Uncertainty) -> pd.DataFrame:
    """The share of each method, by question.

    Args:
        votes: of one study of design best_of or pairwise, real trials alone.

    Returns:
        COLUMNS: value in [0, 1] with Wilson's interval, which takes votes for independent, and low, high of the
        bootstrap over raters and prompts, which does not. Methods sorted by name, "tie" last.
    """
    parts = [_shares(own, str(question), uncertainty) for question, own in votes.groupby("question", sort=False)]
    return pd.DataFrame([row for part in parts for row in part], columns=list(COLUMNS))


def by(votes: pd.DataFrame, column: str, uncertainty: Uncertainty) -> pd.DataFrame:
    """The same for the votes of each value of a column (profession, rater), which comes first."""
    parts = [overall(own, uncertainty).assign(**{column: key}) for key, own in votes.groupby(column, sort=True)]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[column, *COLUMNS])
    return table[[column, *COLUMNS]]


def of_raters(shares: pd.DataFrame, confidence: float = 0.95, whole: float = 1.0) -> pd.DataFrame:
    """The mean share of each method over raters, for tables that print shares alone, as ETC's Table 4 does.

    Args:
        shares: a row for each rater, a column for each method. whole: what a rater's shares add up to.

    Returns:
        Columns method, raters, value, low, high: Student's interval of the mean within 0 … whole, NaN for a single
        rater. It holds for other raters on the same prompts.
    """
    rows = [
        {"method": name, "raters": len(shares)} | vars(_student(shares[name], confidence, whole)) for name in shares
    ]
    return pd.DataFrame(rows, columns=["method", "raters", "value", "low", "high"])


def sums_apart(shares: pd.DataFrame, whole: float = 100.0, rounding: float = 0.05) -> dict[str, float]:
    """Raters whose shares do not add up to `whole` within their rounding, by name, with the sum."""
    sums = shares.sum(axis=1)
    return {str(name): float(total) for name, total in sums.items() if abs(total - whole) > rounding * shares.shape[1]}


def _shares(votes: pd.DataFrame, question: str, uncertainty: Uncertainty) -> list[dict[str, object]]:
    clusters = Clusters.of(votes, uncertainty)
    shown = [set(split(one)) for one in votes.shown]
    names: Sequence[str] = [*methods(votes), TIE]
    rows = []
    for name in names:
        picked = (votes.answer == name).to_numpy(float)
        offered = np.ones(len(votes)) if name == TIE else np.array([name in one for one in shown], float)
        rate = wilson(int(picked.sum()), int(offered.sum()), uncertainty.confidence)
        interval = clusters.ratio(picked, offered).share(uncertainty)
        counts = {"picked": rate.successes, "votes": rate.n, "raters": int(votes.rater[offered > 0].nunique())}
        own = {"question": question, "method": name, **counts, "value": rate.value}
        bounds = {"wilson_low": rate.low, "wilson_high": rate.high, "low": interval.low, "high": interval.high}
        rows.append(own | bounds)
    return rows


def _student(values: pd.Series, confidence: float, whole: float) -> Interval:
    value, n = float(values.mean()), len(values)
    if n < 2:
        return Interval(value, float("nan"), float("nan"))
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return Interval(value, max(value - half, 0.0), min(value + half, whole))
