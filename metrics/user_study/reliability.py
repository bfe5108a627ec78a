"""How far raters agree with one another: Krippendorff's alpha through evalica.

The interval is the jackknife's over raters and over prompts, their variances added: without each rater, and without
each prompt, in turn (Efron and Stein 1981: such variances are not too small in expectation).
"""

import evalica
import numpy as np
import pandas as pd
from scipy import stats

from metrics.statistics.bootstrap import Interval, Uncertainty
from metrics.user_study.votes import unit

COLUMNS = ("question", "scale", "raters", "units", "value", "low", "high")
_SCALES = {"rating": "ordinal"}  # of designs; all others are nominal


def reliability(votes: pd.DataFrame, uncertainty: Uncertainty) -> pd.DataFrame:
    """Alpha of each question: 1 is full agreement, 0 what chance gives, below 0 worse than chance.

    Args:
        votes: of one study, real trials alone. A unit is what was judged: a clip, or the clips shown together.

    Returns:
        COLUMNS: units are those that at least two raters judged; value NaN if there is none.
    """
    keyed = votes.assign(unit=unit(votes))
    return pd.DataFrame(
        [_alpha(own, str(question), uncertainty) for question, own in keyed.groupby("question", sort=False)],
        columns=list(COLUMNS),
    )


def alpha(ratings: pd.DataFrame, scale: str = "nominal") -> float:
    """Krippendorff's alpha of a table of codes, raters by units, NaN where a rater did not judge; NaN if no unit was
    judged twice. scale: nominal, ordinal, interval or ratio."""
    if not (ratings.notna().sum(axis=0) > 1).any():
        return float("nan")
    return float(evalica.alpha(ratings, scale).alpha)


def coded(votes: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Answers to one question as `alpha` takes them: codes, raters by units, and their scale.

    Args:
        votes: with a column unit, see `metrics.user_study.votes.unit`.
    """
    scale = _SCALES.get(votes.design.iloc[0], "nominal")
    codes = votes.answer.astype(float) if scale == "ordinal" else votes.answer.rank(method="dense")
    return votes.assign(code=codes).pivot_table(index="rater", columns="unit", values="code", aggfunc="last"), scale


def _alpha(votes: pd.DataFrame, question: str, uncertainty: Uncertainty) -> dict[str, object]:
    table, scale = coded(votes)
    twice = table.notna().sum(axis=0) > 1
    prompts = votes.drop_duplicates("unit").set_index("unit").prompt.reindex(table.columns)
    interval = _interval(table, prompts.to_numpy(), scale, uncertainty)
    counts = {"raters": len(table), "units": int(twice.sum())}
    return {"question": question, "scale": scale, **counts, **vars(interval)}


def _interval(table: pd.DataFrame, prompts: np.ndarray, scale: str, uncertainty: Uncertainty) -> Interval:
    value = alpha(table, scale)
    raters = [alpha(table.drop(index=rater), scale) for rater in table.index]
    units = [alpha(table.loc[:, prompts != prompt], scale) for prompt in np.unique(prompts)]
    if min(len(raters), len(units)) < 3 or not np.isfinite([value, *raters, *units]).all():
        return Interval(value, float("nan"), float("nan"))
    variance = sum((len(left) - 1) / len(left) * np.var(left) * len(left) for left in (raters, units))
    half = float(stats.t.ppf((1 + uncertainty.confidence) / 2, min(len(raters), len(units)) - 1) * np.sqrt(variance))
    return Interval(value, value - half, min(1.0, value + half))
