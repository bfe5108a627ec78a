"""Krippendorff's alpha: his published example, a naive implementation, and the jackknife's interval."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from metrics.statistics.bootstrap import Uncertainty
from metrics.user_study.reliability import alpha, reliability
from tests.metrics.user_study.tables import table

_ = np.nan
# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", section C: four observers, twelve units.
PUBLISHED = pd.DataFrame(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
)


@pytest.mark.parametrize(("scale", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_the_published_example(scale: str, value: float) -> None:
    assert alpha(PUBLISHED, scale) == pytest.approx(value, abs=5e-4)


def naive(ratings: np.ndarray, scale: str) -> float:
    """By coincidences: each ordered pair of values in a unit of m counts 1 / (m - 1)."""
    values = sorted({value for value in ratings.ravel() if np.isfinite(value)})
    at = {value: i for i, value in enumerate(values)}
    coincidences = np.zeros((len(values), len(values)))
    for unit in ratings.T:
        known = unit[np.isfinite(unit)]
        for a, b in permutations(range(len(known)), 2):
            coincidences[at[known[a]], at[known[b]]] += 1 / (len(known) - 1)
    n = coincidences.sum(axis=0)
    apart = np.zeros_like(coincidences)
    for i, j in permutations(range(len(values)), 2):
        low, high = min(i, j), max(i, j)
        apart[i, j] = 1 if scale == "nominal" else (n[low : high + 1].sum() - (n[i] + n[j]) / 2) ** 2
    observed, expected = (coincidences * apart).sum() / n.sum(), (np.outer(n, n) * apart).sum() / n.sum()
    return 1 - observed * (n.sum() - 1) / expected


@given(
    arrays(float, (4, 6), elements=st.sampled_from([1.0, 2.0, 3.0, np.nan])), st.sampled_from(["nominal", "ordinal"])
)
@settings(max_examples=40)
def test_alpha_is_that_of_the_coincidences(ratings: np.ndarray, scale: str) -> None:
    twice = ratings[:, np.isfinite(ratings).sum(axis=0) > 1]
    known = twice[np.isfinite(twice)]
    assume(len(np.unique(known)) > 1)
    assert alpha(pd.DataFrame(ratings), scale) == pytest.approx(naive(twice, scale))


def votes(agree: float, seed: int = 0) -> pd.DataFrame:
    """Ten raters on twelve prompts, who say what the prompt suggests with probability `agree`, else anything."""
    rng = np.random.default_rng(seed)
    rows = [
        {"rater": f"r-{r}", "prompt": f"p-{p}", "shown": "b|a" if r % 2 else "a|b", "answer": answer}
        for r in range(10)
        for p in range(12)
        for answer in ["ab"[p % 2] if rng.random() < agree else rng.choice(["a", "b"])]
    ]
    return table(rows)


def test_raters_agree_on_clips_whatever_their_sides() -> None:
    (full,) = reliability(votes(1.0), Uncertainty()).to_dict("records")
    assert (full["value"], full["raters"], full["units"]) == (1, 10, 12)
    (none,) = reliability(votes(0.0), Uncertainty()).to_dict("records")
    assert none["low"] < 0.05 and abs(none["value"]) < 0.1
    (some,) = reliability(votes(0.7), Uncertainty()).to_dict("records")
    assert none["high"] < some["value"] < 1 and some["low"] < some["value"] < some["high"]


def test_the_interval_covers_what_raters_agree_in_truth() -> None:
    """Two raters agree with probability 0.7² + (1 - 0.7²) / 2, chance one half: alpha is 0.49."""
    hits = [
        row.low <= 0.49 <= row.high
        for seed in range(40)
        for row in reliability(votes(0.7, seed), Uncertainty()).itertuples()
    ]
    assert np.mean(hits) >= 0.85  # one standard error of 0.95 is 0.034


def test_ratings_are_on_an_ordinal_scale() -> None:
    rows = [
        {"design": "rating", "shown": "a", "rater": f"r-{r}", "prompt": f"p-{p}", "answer": str(1 + (p + (r == 0)) % 5)}
        for r in range(3)
        for p in range(4)
    ]
    (row,) = reliability(table(rows), Uncertainty()).to_dict("records")
    matrix = np.array([[1 + (p + (r == 0)) % 5 for p in range(4)] for r in range(3)], float)
    assert row["scale"] == "ordinal" and row["value"] == pytest.approx(naive(matrix, "ordinal"))


def test_units_that_one_rater_saw_say_nothing() -> None:
    rows = [{"rater": "r-1", "prompt": "p"}, {"rater": "r-2", "prompt": "q"}]
    (row,) = reliability(table(rows), Uncertainty()).to_dict("records")
    assert row["units"] == 0 and np.isnan(row["value"])
