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


@pytest.mark.parametrize("found", [0, 1, 2])
def test_few_trainings_say_nothing_of_others(pairs: list[tuple[pd.DataFrame, pd.DataFrame]], found: int) -> None:
    assert table(pairs[:found], {}, 0.95).empty


def test_what_was_not_read_has_no_row(pairs: list[tuple[pd.DataFrame, pd.DataFrame]]) -> None:
    unread = [(one.assign(heading=np.nan), other) for one, other in pairs]
    assert table(unread, {}, 0.95).attribute.tolist() == [name for name in NAMES if name != "heading"]
    apart = [*pairs[:2], (pairs[2][0].iloc[:1], pairs[2][1])]  # one prompt that all have
    nobody = [*pairs[:2], (pairs[2][0].iloc[:0], pairs[2][1])]  # clips of a size that the judge does not know
    assert table(apart, {}, 0.95).empty and table(nobody, {}, 0.95).empty
