"""Plans from votes: shares and counts by hand."""

import numpy as np
import pytest

from metrics.statistics.bootstrap import Uncertainty
from metrics.user_study import power
from metrics.user_study.planning import PLANNED, planning
from tests.metrics.user_study.tables import table

NONE = Uncertainty(resamples=0)


def test_every_pair_and_the_planned_shares() -> None:
    answers = ["a"] * 6 + ["b"] * 2 + ["c"] * 2 + ["tie"] * 2
    rows = [
        {"shown": "a|b|c", "answer": answer, "rater": f"r-{i % 4}", "prompt": f"p-{i % 3}"}
        for i, answer in enumerate(answers)
    ]
    found = planning(table(rows), NONE)
    pairs = found[found["first"] != ""].set_index(["first", "second"])
    assert pairs.share.to_dict() == {("a", "b"): 0.75, ("a", "c"): 0.75, ("b", "c"): 0.5}
    assert pairs.decides.to_dict() == pytest.approx({("a", "b"): 8 / 12, ("a", "c"): 8 / 12, ("b", "c"): 4 / 12})
    assert pairs.needed["a", "b"] == np.ceil(power.votes_needed(0.75) * 12 / 8)
    assert np.isnan(pairs.needed["b", "c"]) and np.isnan(pairs.raters_needed["b", "c"])
    assert (pairs.raters["a", "b"], pairs.prompts["a", "b"], pairs.per_rater["a", "b"]) == (4, 3, 3)
    assert found[found["first"] == ""].share.tolist() == list(PLANNED)


def test_independent_votes_need_as_many_raters_as_they_are_worth() -> None:
    """Without clusters: every rater, and every prompt, has the same share."""
    rows = [
        {"design": "pairwise", "rater": f"r-{r}", "prompt": f"p-{p}", "answer": "b" if (r + p) % 4 == 0 else "a"}
        for r in range(4)
        for p in range(8)
    ]
    row = planning(table(rows), NONE).iloc[0]
    assert row.share == 0.75 and row.rho_raters == row.rho_prompts == 0
    assert row.raters_needed == np.ceil(power.votes_needed(0.75) / 8)


def test_level_votes_on_few_prompts_ask_for_more_prompts() -> None:
    """Each prompt has its own winner: raters add nothing."""
    rows = [
        {"design": "pairwise", "rater": f"r-{r}", "prompt": f"p-{p}", "answer": "a" if p < 3 else "b"}
        for r in range(6)
        for p in range(5)
    ]
    row = planning(table(rows), NONE).iloc[0]
    assert row.rho_prompts > 0.9 and np.isnan(row.raters_needed) and row.needed > 100
