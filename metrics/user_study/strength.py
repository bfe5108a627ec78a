"""Strengths of methods from choices: Bradley and Terry's model with ties, through evalica.

A vote for one of N shown clips counts as N - 1 wins of its method; "cannot tell" as a tie of every pair shown. Of votes
for the best alone this gives the same strengths as Luce's choice model in expectation ("top-k breaking" of rankings is
consistent: Azari Soufiani et al. 2013, "Generalized method-of-moments for rank aggregation"). Ties follow Davidson
(1970): P(tie) / sqrt(P(A wins) P(B wins)) = 2 v, the likelihood that `evalica.newman` (Newman 2023, JMLR 24) maximises.
"""

from itertools import combinations

import numpy as np
import pandas as pd
from evalica import Winner, newman
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from metrics.statistics.bootstrap import Uncertainty
from metrics.user_study.clusters import Clusters
from metrics.user_study.votes import TIE, methods, split

COLUMNS = ("question", "method", "comparisons", "value", "low", "high", "tie")
_LIMIT, _TOLERANCE = 2000, 1e-7
_WINNERS = (Winner.X, Winner.Y, Winner.Draw)  # in the order of an outcome's code


def strengths(votes: pd.DataFrame, uncertainty: Uncertainty) -> pd.DataFrame:
    """The strength of each method, by question.

    Args:
        votes: of one study of design best_of or pairwise, real trials alone.

    Returns:
        COLUMNS: value in [0, 1], strengths of a question add up to 1: the probability of being picked if all methods
        were shown at once. low, high: over raters and prompts. tie: v of Davidson's model. No rows for a question whose
        methods were not all compared with one another, directly or through others: their strengths have no common
        scale.
    """
    parts = [_strengths(own, str(question), uncertainty) for question, own in votes.groupby("question", sort=False)]
    return pd.DataFrame([row for part in parts for row in part], columns=list(COLUMNS))


def outcomes(votes: pd.DataFrame) -> pd.DataFrame:
    """Votes as outcomes of pairs: columns vote (row of `votes`), a, b (methods, a < b), outcome (0: a, 1: b, 2: tie).

    Pairs of which neither was picked say nothing and are left out.
    """
    rows = [
        (vote, a, b, 2 if answer == TIE else int(answer == b))
        for vote, (shown, answer) in enumerate(zip(votes.shown, votes.answer, strict=True))
        for a, b in combinations(sorted(set(split(shown))), 2)
        if answer in (a, b, TIE)
    ]
    return pd.DataFrame(rows, columns=["vote", "a", "b", "outcome"])


def _strengths(votes: pd.DataFrame, question: str, uncertainty: Uncertainty) -> list[dict[str, object]]:
    votes, names = votes.reset_index(drop=True), methods(votes)
    found = outcomes(votes)
    if not _connected(found, names):
        return []
    kinds, kind = np.unique(found[["a", "b", "outcome"]].astype(str).agg("|".join, axis=1), return_inverse=True)
    cells = [text.split("|") for text in kinds]
    clusters = Clusters.of(votes.iloc[found.vote], uncertainty)
    one_hot = np.eye(len(cells))[kind]
    fitted, tie = _fit(cells, one_hot.sum(axis=0), names)
    about = np.array([[name in cell[:2] for name in names] for cell in cells], float)
    drawn = clusters.sums(one_hot)
    drawn = drawn[(drawn @ about > 0).all(axis=1)]  # a method that was not drawn has no strength
    draws = np.array([_fit(cells, weights, names)[0] for weights in drawn]).reshape(-1, len(names))
    low, high = np.quantile(draws, uncertainty.tails, axis=0) if len(draws) else np.full((2, len(names)), np.nan)
    compared = [int(((found.a == name) | (found.b == name)).sum()) for name in names]
    columns = zip(names, compared, fitted, low, high, strict=True)
    return [dict(zip(COLUMNS, (question, *own, tie), strict=True)) for own in columns]


def _fit(cells: list[list[str]], weights: np.ndarray, names: list[str]) -> tuple[np.ndarray, float]:
    """Strengths (len(names),) that add up to 1, and v. cells: a, b and outcome; weights: how often each."""
    kept = [(cell, float(weight)) for cell, weight in zip(cells, weights, strict=True) if weight > 0]
    first, second, won = zip(*(cell for cell, _ in kept), strict=True)
    result = newman(
        first,
        second,
        [_WINNERS[int(code)] for code in won],
        index=pd.Index(names),
        weights=[weight for _, weight in kept],
        tolerance=_TOLERANCE,
        limit=_LIMIT,
    )
    scores = result.scores.reindex(names).to_numpy(float)
    return scores / scores.sum(), float(result.v)


def _connected(found: pd.DataFrame, names: list[str]) -> bool:
    at = {name: i for i, name in enumerate(names)}
    graph = coo_array((np.ones(len(found)), (found.a.map(at), found.b.map(at))), shape=(len(names), len(names)))
    return len(names) > 1 and connected_components(graph, directed=False)[0] == 1
