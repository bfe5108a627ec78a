"""Yes or no, clip by clip: HARIVO's attributes with their average (Table A2); whether a mixture is shown (RichSpace).

A mixture is shown if a rater says yes to each question about one clip: it shows A, it shows B, both in one object.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from metrics.statistics.bootstrap import Uncertainty
from metrics.statistics.proportions import wilson
from metrics.user_study.clusters import mean_by
from metrics.user_study.votes import YES

AVERAGE = "average"
SUCCESS = "success"
COLUMNS = ("method", "question", "votes", "raters", "value", "wilson_low", "wilson_high", "low", "high")
_TRIAL = ["rater", "trial", "prompt", "shown"]


def attributes(votes: pd.DataFrame, uncertainty: Uncertainty) -> pd.DataFrame:
    """The share of yes to each question, and their mean, for each method.

    Args:
        votes: of one study of design attributes, real trials alone.

    Returns:
        COLUMNS, with question "average" last for each method: the mean over the questions of a trial, then over
        trials; it has no Wilson interval, because it is no count. low, high: over raters and prompts.
    """
    said = votes.assign(yes=votes.answer == YES)
    average = said.groupby(_TRIAL, sort=False, as_index=False).yes.mean().assign(question=AVERAGE)
    table = mean_by(pd.concat([said, average]), "yes", ["shown", "question"], uncertainty, share=True)
    questions = [*dict.fromkeys(votes.question), AVERAGE]
    return _with_wilson(table, uncertainty, without=[AVERAGE]).pipe(_ordered, questions)


def mixture(votes: pd.DataFrame, uncertainty: Uncertainty) -> pd.DataFrame:
    """The share of trials in which all is yes (question "success", first), and of yes to each question, by method.

    Args:
        votes: of one study of design mixture, real trials alone.
    """
    said = votes.assign(yes=votes.answer == YES)
    success = said.groupby(_TRIAL, sort=False, as_index=False).yes.all().assign(question=SUCCESS)
    table = mean_by(pd.concat([success, said]), "yes", ["shown", "question"], uncertainty, share=True)
    return _with_wilson(table, uncertainty).pipe(_ordered, [SUCCESS, *dict.fromkeys(votes.question)])


def _with_wilson(table: pd.DataFrame, uncertainty: Uncertainty, without: Sequence[str] = ()) -> pd.DataFrame:
    rates = [
        wilson(round(one.value * one.votes), one.votes, uncertainty.confidence) if one.question not in without else None
        for one in table.itertuples()
    ]
    bounds = {side: [getattr(rate, side) if rate else np.nan for rate in rates] for side in ("low", "high")}
    named = table.rename(columns={"shown": "method"})
    return named.assign(wilson_low=bounds["low"], wilson_high=bounds["high"])[list(COLUMNS)]


def _ordered(table: pd.DataFrame, questions: Sequence[str]) -> pd.DataFrame:
    rank = {question: i for i, question in enumerate(questions)}
    order = table.assign(_rank=table.question.map(rank)).sort_values(["method", "_rank"], kind="stable")
    return order.drop(columns="_rank").reset_index(drop=True)
