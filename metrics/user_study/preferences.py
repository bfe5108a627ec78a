"""A or B: how often a candidate is preferred to each opponent, on each question (HARIVO, Table 3), and two tests.

The percentage is of the votes that decide; ties are counted beside it. The exact binomial test takes votes for
independent, as published studies do. Votes of one rater, or on one prompt, are not, so a second p comes from the
bootstrap over raters and prompts (`metrics.user_study.clusters`), and that one is decisive. It is never below the exact
one: where all votes are alike, resamples are too. Both are corrected by Holm (1979) over the cells of the table.
"""

from dataclasses import replace
from itertools import combinations
from math import ceil

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from metrics.statistics.bootstrap import Uncertainty
from metrics.statistics.testing import holm
from metrics.user_study.clusters import Clusters
from metrics.user_study.votes import TIE, methods, split

EVEN = 0.5
_FINEST = 0.005  # what the smallest p of a bootstrap must be able to reach after correction: larger tables draw more
COLUMNS = (
    *("question", "candidate", "opponent", "wins", "losses", "ties", "votes", "value", "low", "high"),
    *("p_exact", "p_exact_holm", "p", "p_holm"),
)


def pairs(votes: pd.DataFrame) -> list[tuple[str, str]]:
    """The pairs that were compared, candidate first: the one method that all pairs share, else the first by name."""
    found = sorted({(a, b) for a, b in combinations(methods(votes), 2) if len(_between(votes, a, b))})
    common = sorted(set.intersection(*map(set, found))) if found else []
    first = common[0] if common else ""
    return [(b, a) if b == first else (a, b) for a, b in found]


def preferences(votes: pd.DataFrame, uncertainty: Uncertainty) -> pd.DataFrame:
    """A row for each question and pair.

    Args:
        votes: of one study of design pairwise, real trials alone.

    Returns:
        COLUMNS: value in [0, 1] is wins / (wins + losses), low and high its interval over raters and prompts; p_exact
        of the binomial test, p of the bootstrap over raters and prompts, both two-sided against one half; *_holm the
        same corrected. NaN where no vote decides.
    """
    compared = pairs(votes)
    cells = votes.question.nunique() * len(compared)
    finer = replace(uncertainty, resamples=max(uncertainty.resamples, ceil(2 * cells / _FINEST)))
    own = finer if uncertainty.resamples else uncertainty
    rows = [
        {"question": question, "candidate": a, "opponent": b, **_preference(_between(part, a, b), a, b, own)}
        for question, part in votes.groupby("question", sort=False)
        for a, b in compared
    ]
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if not name.endswith("_holm")])
    corrected = {f"{name}_holm": holm(table[name].to_numpy(float)) for name in ("p_exact", "p")}
    return table.assign(**corrected)[list(COLUMNS)]


def _between(votes: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    return votes[[set(split(shown)) == {a, b} for shown in votes.shown]]


def _preference(votes: pd.DataFrame, candidate: str, opponent: str, uncertainty: Uncertainty) -> dict[str, float]:
    wins, losses, ties = (votes.answer == name for name in (candidate, opponent, TIE))
    counts = {"wins": int(wins.sum()), "losses": int(losses.sum()), "ties": int(ties.sum()), "votes": len(votes)}
    decided = counts["wins"] + counts["losses"]
    if not decided:
        return counts | dict.fromkeys(("value", "low", "high", "p_exact", "p"), float("nan"))
    ratio = Clusters.of(votes, uncertainty).ratio(wins.to_numpy(float), (wins | losses).to_numpy(float))
    exact = float(binomtest(counts["wins"], decided, EVEN).pvalue)
    return counts | vars(ratio.share(uncertainty)) | {"p_exact": exact, "p": np.fmax(ratio.p(EVEN), exact)}
