"""A scale from 1 to 5: the mean rating of each method."""

import pandas as pd

from metrics.statistics.bootstrap import Uncertainty
from metrics.user_study.clusters import mean_by

COLUMNS = ("method", "question", "votes", "raters", "value", "low", "high")


def ratings(votes: pd.DataFrame, uncertainty: Uncertainty) -> pd.DataFrame:
    """COLUMNS: the mean rating in [1, 5], with its interval over raters and prompts; methods sorted by name.

    Args:
        votes: of one study of design rating, real trials alone.
    """
    table = mean_by(votes.assign(rating=votes.answer.astype(float)), "rating", ["shown", "question"], uncertainty)
    table = table.rename(columns={"shown": "method"}).sort_values(["method", "question"], kind="stable")
    return table[list(COLUMNS)].reset_index(drop=True)
