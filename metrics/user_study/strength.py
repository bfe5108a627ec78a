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
from scipy.optimize import brentq
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from metrics.statistics.bootstrap import Uncertainty
from metrics.user_study.clusters import Clusters
from metrics.user_study.votes import TIE, methods, split

COLUMNS = ("question", "method", "comparisons", "value", "low", "high", "tie")
_LIMIT, _TOLERANCE = 2000, 1e-7
_FAR, _TINY = 20.0, 1e-300  # log v is within ± _FAR
_WINNERS = (Winner.X, Winner.Y, Winner.Draw)  # in the order of an outcome's code


def strengths(votes: pd.DataFrame, uncertainty: Uncertainty) -> pd.DataFrame:
    """The strength of each method, by question.

    Args:
        votes: of one study of design best_of or pairwise, real trials alone.

    Returns:
        COLUMNS: value in [0, 1], strengths of a question add up to 1: the probability of being picked if all methods
        were shown at once. low, high: over raters and prompts. tie: v of Davidson's model. No rows for a question where
        there are ties, and some methods were never picked over any of the others: the likelihood then has no maximum
        (Ford 1957); nor where methods were not all compared.
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
    if not _has_maximum(found, names):
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
    scores = scores / scores.sum()
    return scores, _tie(kept, dict(zip(names, scores, strict=True)))


def _tie(kept: list[tuple[list[str], float]], strength: dict[str, float]) -> float:
    """v that makes as many ties likely as there are. `newman` stops when strengths do, which may be before v does."""
    ties = sum(weight for cell, weight in kept if int(cell[2]) == 2)
    roots = np.array([np.sqrt(strength[a] * strength[b]) for (a, b, _), _ in kept])
    sums = np.array([strength[a] + strength[b] for (a, b, _), _ in kept])
    weights = np.array([weight for _, weight in kept])
    if not ties:
        return 0.0

    def too_many(log_v: float) -> float:
        likely = 2 * np.exp(log_v) * roots
        return float((weights * likely / np.maximum(sums + likely, _TINY)).sum() - ties)

    ends = (-_FAR, _FAR)
    if np.sign(too_many(ends[0])) == np.sign(too_many(ends[1])):
        return float("nan")  # nothing but ties
    return float(np.exp(brentq(too_many, *ends)))


def _has_maximum(found: pd.DataFrame, names: list[str]) -> bool:
    """Whether each method was picked over each other, directly or through others. Without any ties it is enough that
    all were compared: whoever never won then has strength 0."""
    at = {name: i for i, name in enumerate(names)}
    decided, without_ties = found[found.outcome < 2], not (found.outcome == 2).any()
    first = decided.outcome == 0
    winners, losers = decided.a.where(first, decided.b).map(at), decided.b.where(first, decided.a).map(at)
    graph = coo_array((np.ones(len(decided)), (winners, losers)), shape=(len(names), len(names)))
    parts = connected_components(graph, directed=not without_ties, connection="strong")[0]
    return len(names) > 1 and parts == 1
