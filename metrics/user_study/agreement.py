"""How often an automatic metric orders two clips as raters do."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from metrics.statistics.agreement import agreement as correlations
from metrics.statistics.bootstrap import Uncertainty
from metrics.user_study.clusters import Clusters
from metrics.user_study.votes import CHOICES, YES, split

COLUMNS = ("question", "metric", "pairs", "clips", "value", "low", "high", "spearman")
KEY = ["method", "clip"]
_SAME = ["rater", "prompt", "question"]


def agreement(
    votes: pd.DataFrame, values: pd.DataFrame, higher_is_better: Mapping[str, bool], uncertainty: Uncertainty
) -> pd.DataFrame:
    """A row for each question and metric that has values of the clips that were voted on.

    Args:
        votes: of one study, real trials alone. values: columns method, clip, and one for each metric; NaN where it was
            not measured. higher_is_better: the metrics by name.

    Returns:
        COLUMNS: value is the share of pairs of clips, of one prompt, that the metric orders as a vote does; 0.5 is
        chance, and what a metric gets that cannot tell them apart. low, high: over raters and prompts. spearman: the
        rank correlation, over clips, of the metric (negated where lower is better) with the mean vote.
    """
    found = values.drop_duplicates(KEY).set_index(KEY)
    pairs, scores = orders(votes), clip_scores(votes)
    rows = []
    for question in dict.fromkeys(votes.question):
        for metric, higher in higher_is_better.items():
            column = found[metric].astype(float) * (1 if higher else -1)
            own = _row(pairs[pairs.question == question], scores[scores.question == question], column, uncertainty)
            rows += [{"question": question, "metric": metric, **own}] if own else []
    return pd.DataFrame(rows, columns=list(COLUMNS))


def orders(votes: pd.DataFrame) -> pd.DataFrame:
    """Pairs of clips that a rater put into an order: columns rater, prompt, question, better and worse (method, clip).

    Of a choice the picked clip against each other one; of clips that were judged by themselves those of one rater,
    prompt and question with different answers. Ties order nothing.
    """
    chosen = votes[votes.design.isin(CHOICES)]
    rows = [
        (one.rater, one.prompt, one.question, picked, other)
        for one in chosen.itertuples()
        for picked, other in _against_others(split(one.shown), split(one.clips), one.answer)
    ]
    single = votes[~votes.design.isin(CHOICES)]
    scored = single.assign(score=_score(single), key=list(zip(single.shown, single.clips, strict=True)))
    both = scored[[*_SAME, "score", "key"]].merge(scored[[*_SAME, "score", "key"]], on=_SAME)
    both = both[both.score_x > both.score_y]
    rows += list(both[[*_SAME, "key_x", "key_y"]].itertuples(index=False, name=None))
    return pd.DataFrame(rows, columns=[*_SAME, "better", "worse"])


def clip_scores(votes: pd.DataFrame) -> pd.DataFrame:
    """Columns question, method, clip, score: how often a clip was picked of the times that it was shown, the share of
    yes, or the mean rating."""
    rows = [
        (one.question, method, clip, float(one.answer == method))
        for one in votes[votes.design.isin(CHOICES)].itertuples()
        for method, clip in zip(split(one.shown), split(one.clips), strict=True)
    ]
    single = votes[~votes.design.isin(CHOICES)]
    rows += list(zip(single.question, single.shown, single.clips, _score(single), strict=True))
    table = pd.DataFrame(rows, columns=["question", *KEY, "score"])
    return table.groupby(["question", *KEY], sort=False, as_index=False).score.mean()


def _against_others(shown: list[str], clips: list[str], answer: str) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    keys = list(zip(shown, clips, strict=True))
    picked = [key for key in keys if key[0] == answer]
    return [(one, other) for one in picked for other in keys if other[0] != answer]


def _score(single: pd.DataFrame) -> pd.Series:
    return single.answer.map(lambda answer: float(answer) if answer.isdigit() else float(answer == YES))


def _row(pairs: pd.DataFrame, scores: pd.DataFrame, column: pd.Series, uncertainty: Uncertainty) -> dict[str, float]:
    """Nothing if no ordered pair has values."""
    better, worse = (_values(column, pairs[side]) for side in ("better", "worse"))
    known = np.isfinite(better) & np.isfinite(worse)
    if not known.any():
        return {}
    agreed = (1 + np.sign(better - worse)[known]) / 2
    interval = Clusters.of(pairs[known], uncertainty).ratio(agreed).interval(uncertainty)
    per_clip = scores.assign(value=_values(column, list(zip(scores["method"], scores["clip"], strict=True))))
    per_clip = per_clip[np.isfinite(per_clip.value)]
    ranked = correlations(per_clip, "value", "score", uncertainty=Uncertainty(resamples=0)).set_index("correlation")
    counts = {"pairs": int(known.sum()), "clips": len(per_clip)}
    return counts | vars(interval) | {"spearman": float(ranked.value["spearman"])}


def _values(column: pd.Series, keys: pd.Series | list[tuple[str, str]]) -> np.ndarray:
    by_key = column.to_dict()
    return np.array([by_key.get(key, np.nan) for key in keys], float)
