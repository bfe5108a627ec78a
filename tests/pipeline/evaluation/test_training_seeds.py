"""HARIVO beside its baseline over trainings: what is averaged, what is compared, and which prompts count."""

import numpy as np
import pandas as pd
import pytest

from metrics.statistics.crossed import crossed_mean
from pipeline.evaluation import training_seeds
from pipeline.evaluation.training_seeds import NAMES, table

PROMPTS = 12


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Three pairs of what the judge sees of each; the last lacks a prompt, and the first has one more."""
    monkeypatch.setattr(training_seeds, "judge_prompts", lambda judged, _: judged)
    rng = np.random.default_rng(0)

    def judged(prompts: range, shift: float) -> pd.DataFrame:
        values = {name: rng.random(len(prompts)) + shift for name in NAMES}
        return pd.DataFrame({"prompt_id": [f"p{i}" for i in prompts], **values})

    lengths = (range(PROMPTS + 1), range(PROMPTS), range(1, PROMPTS))
    return [(judged(prompts, 0.0), judged(prompts, 0.5)) for prompts in lengths]


def test_differences_are_of_the_prompts_that_all_have(pairs: list[tuple[pd.DataFrame, pd.DataFrame]]) -> None:
    found = table(pairs, {}, 0.9).set_index("attribute")
    assert list(found.index) == list(NAMES)
    for name in NAMES:
        own = [[one[one.prompt_id.isin([f"p{i}" for i in range(1, PROMPTS)])][name] for one in pair] for pair in pairs]
        baseline, candidate = (np.stack([pair[i].to_numpy() for pair in own]) for i in (0, 1))
        expected = crossed_mean(candidate - baseline)
        row, interval = found.loc[name], expected.interval(0.9)
        assert (row.seeds, row.prompts) == (3, PROMPTS - 1)
        assert row.baseline_mean == pytest.approx(baseline.mean())
        assert row.candidate_sd == pytest.approx(candidate.mean(axis=1).std(ddof=1))
        assert (row.difference, row.low, row.high) == pytest.approx((interval.value, interval.low, interval.high))
        assert row.p == pytest.approx(expected.p)
    assert (found.p_holm >= found.p).all()


def test_one_training_says_nothing_of_others(pairs: list[tuple[pd.DataFrame, pd.DataFrame]]) -> None:
    assert table(pairs[:1], {}, 0.95).empty
