"""The next study: how many votes, and raters like these on prompts like these, tell two methods apart."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from metrics.statistics.bootstrap import Uncertainty
from metrics.user_study import power, preferences
from metrics.user_study.clusters import Clusters
from metrics.user_study.votes import split

PLANNED = (0.55, 0.6, 0.65, 0.7, 0.75, 0.8)  # shares of votes that prefer one of two methods
COLUMNS = (
    *("question", "first", "second", "share", "decides", "votes", "needed", "per_rater", "prompts"),
    *("rho_raters", "rho_prompts", "raters", "raters_needed"),
)
_PAIR = ["first", "second"]


@dataclass(frozen=True)
class _Given:
    """What a pair of methods was given. votes: for the pair, of which a share `decides` picks one of the two."""

    votes: float
    decides: float
    raters: int
    prompts: int
    rho: power.Correlations


def planning(votes: pd.DataFrame, uncertainty: Uncertainty) -> pd.DataFrame:
    """A row for every question and pair of methods, at the share that was found, and for the shares of PLANNED (with no
    methods, and the mean over pairs of what was given).

    Args:
        votes: of one study of design best_of or pairwise, real trials alone.

    Returns:
        COLUMNS: share of the votes that decide which prefer `first`; decides: share of the votes that do; votes: those
        given to the pair; needed: so many of them, were they independent; per_rater: of each rater; rho: correlation of
        two votes of one rater, and on one prompt; raters: who voted; raters_needed: with these correlations, each as
        diligent as these. NaN where the methods are level, or no number of raters on these prompts is enough.
    """
    rows, pairs = [], _pairs(votes)
    for question, own in votes.groupby("question", sort=False):
        decided = _decided(own, pairs)
        away = decided.won - decided.groupby(_PAIR).won.transform("mean")
        rho = power.correlations(away.to_numpy(float), Clusters.of(decided, uncertainty))
        given = {pair: _given(own, decided, pair, rho) for pair in pairs}
        found = decided.groupby(_PAIR).won.mean()
        rows += [_row(question, pair, found.get(pair, np.nan), one) for pair, one in given.items()]
        rows += [_row(question, ("", ""), share, _typical(list(given.values()))) for share in PLANNED if given]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(question: object, pair: tuple[str, str], share: float, given: _Given) -> dict[str, object]:
    per_rater = given.votes / given.raters
    row = dict(zip(_PAIR, pair, strict=True)) | vars(given) | {"question": question, "share": share}
    row |= {"per_rater": per_rater, "rho_raters": given.rho.raters, "rho_prompts": given.rho.prompts}
    if not np.isfinite(share) or share == preferences.EVEN:
        return row
    needed = power.votes_needed(share)
    raters = power.raters_needed(needed, per_rater * given.decides, given.prompts, given.rho)
    return row | {"needed": int(np.ceil(needed / given.decides)), "raters_needed": raters or np.nan}


def _given(votes: pd.DataFrame, decided: pd.DataFrame, pair: tuple[str, str], rho: power.Correlations) -> _Given:
    shown = sum(set(pair) <= set(split(one)) for one in votes.shown)
    picked = int(((decided["first"] == pair[0]) & (decided["second"] == pair[1])).sum())
    decides = picked / shown if shown else np.nan
    return _Given(shown, decides, votes.rater.nunique(), votes.prompt.nunique(), rho)


def _typical(given: list[_Given]) -> _Given:
    votes, decides = (float(np.nanmean([getattr(one, name) for one in given])) for name in ("votes", "decides"))
    return _Given(votes, decides, given[0].raters, given[0].prompts, given[0].rho)


def _pairs(votes: pd.DataFrame) -> list[tuple[str, str]]:
    """The pairs of methods that were shown together; of two at a time, as the table of preferences has them."""
    if votes.design.iloc[0] == "pairwise":
        return preferences.pairs(votes)
    return sorted({pair for shown in votes.shown.unique() for pair in combinations(sorted(split(shown)), 2)})


def _decided(votes: pd.DataFrame, pairs: list[tuple[str, str]]) -> pd.DataFrame:
    """A row for each vote and pair of which it picked one; won: whether the first was."""
    rows = [
        (one.rater, one.prompt, a, b, float(one.answer == a))
        for one in votes[["rater", "prompt", "shown", "answer"]].itertuples()
        for shown in [set(split(one.shown))]
        for a, b in pairs
        if one.answer in (a, b) and {a, b} <= shown
    ]
    return pd.DataFrame(rows, columns=["rater", "prompt", *_PAIR, "won"]).astype({"won": float})
