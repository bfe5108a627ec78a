"""Agreement of a metric with votes: pairs counted by hand."""

import numpy as np
import pandas as pd
import pytest

from metrics.statistics.bootstrap import Uncertainty
from metrics.user_study.agreement import agreement, clip_scores, orders
from tests.metrics.user_study.tables import table

FEW = Uncertainty(resamples=100)


def test_a_pick_is_better_than_each_other() -> None:
    votes = table([{"shown": "b|a|c", "answer": "a"}, {"shown": "a|b|c", "answer": "tie"}])
    found = orders(votes)
    assert set(zip(found.better, found.worse, strict=True)) == {
        (("a", "p1-a"), ("b", "p1-b")),
        (("a", "p1-a"), ("c", "p1-c")),
    }


def test_clips_by_themselves_are_ordered_by_one_rater_and_prompt() -> None:
    base = {"design": "rating", "question": "quality"}
    rows = [
        {**base, "rater": "r-1", "shown": "a", "answer": "4"},
        {**base, "rater": "r-1", "shown": "b", "answer": "2"},
        {**base, "rater": "r-1", "shown": "c", "answer": "4"},
        {**base, "rater": "r-2", "shown": "a", "answer": "1"},  # another rater, who gives less to all
        {**base, "rater": "r-1", "shown": "b", "answer": "5", "prompt": "other"},
    ]
    found = orders(table(rows))
    assert {(better[0], worse[0]) for better, worse in zip(found.better, found.worse, strict=True)} == {
        ("a", "b"),
        ("c", "b"),
    }
    scores = clip_scores(table(rows)).set_index(["method", "clip"]).score
    assert scores["a", "p1-a"] == 2.5 and scores["b", "other-b"] == 5


def pairwise() -> pd.DataFrame:
    """Three raters on four prompts: a is picked, but by r-3 on p-3."""
    return table(
        [
            {
                "design": "pairwise",
                "question": "q",
                "rater": f"r-{r}",
                "prompt": f"p-{p}",
                "answer": "b" if r == p == 3 else "a",
            }
            for r in (1, 2, 3)
            for p in range(4)
        ]
    )


def values(**by_method: float) -> pd.DataFrame:
    rows = [(name, f"p-{p}-{name}", value) for name, value in by_method.items() for p in range(4)]
    return pd.DataFrame(rows, columns=["method", "clip", "metric"])


@pytest.mark.parametrize(
    ("own", "higher", "share"),
    [({"a": 2.0, "b": 1.0}, True, 11 / 12), ({"a": 2.0, "b": 1.0}, False, 1 / 12), ({"a": 1.0, "b": 1.0}, True, 0.5)],
)
def test_the_share_of_votes_that_a_metric_foresees(own: dict[str, float], higher: bool, share: float) -> None:
    (row,) = agreement(pairwise(), values(**own), {"metric": higher}, FEW).to_dict("records")
    assert row["value"] == pytest.approx(share)
    assert (row["pairs"], row["clips"]) == (12, 8)
    assert row["low"] <= row["value"] <= row["high"]
    if own["a"] != own["b"]:
        assert np.sign(row["spearman"]) == (1 if higher else -1)


def test_clips_without_a_value_are_left_out() -> None:
    known = values(a=2.0, b=1.0)
    known.loc[known["clip"].isin(["p-0-a"]), "metric"] = np.nan
    (row,) = agreement(pairwise(), known, {"metric": True}, FEW).to_dict("records")
    assert row["pairs"] == 9
    assert not len(agreement(pairwise(), values(other=1.0), {"metric": True}, FEW))
