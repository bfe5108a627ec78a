"""Yes or no: attributes with their average, and mixtures; ratings."""

from collections.abc import Mapping

import pandas as pd
import pytest

from metrics.statistics.bootstrap import Uncertainty
from metrics.statistics.proportions import wilson
from metrics.user_study.attributes import attributes, mixture
from metrics.user_study.ratings import ratings
from tests.metrics.user_study.tables import table

FEW = Uncertainty(resamples=100)
ANSWERS = {  # of method a, for (rater, prompt)
    ("r-1", "p"): {"content": "yes", "action": "yes"},
    ("r-1", "q"): {"content": "yes", "action": "no"},
    ("r-2", "p"): {"content": "no", "action": "no"},
    ("r-2", "q"): {"content": "yes", "action": "no"},
}


def votes(design: str, answers: Mapping[tuple[str, str], Mapping[str, str]], method: str = "a") -> pd.DataFrame:
    """A trial for each rater and prompt, with a row for each question."""
    rows = [
        {
            "design": design,
            "rater": rater,
            "prompt": prompt,
            "trial": trial,
            "shown": method,
            "question": q,
            "answer": x,
        }
        for trial, ((rater, prompt), own) in enumerate(answers.items(), 1)
        for q, x in own.items()
    ]
    return table(rows)


def test_the_average_is_over_questions_then_trials() -> None:
    found = attributes(votes("attributes", ANSWERS), FEW).set_index("question")
    assert list(found.index) == ["content", "action", "average"]
    assert found.value.to_dict() == {"content": 0.75, "action": 0.25, "average": 0.5}
    assert found.votes.to_dict() == {"content": 4, "action": 4, "average": 4}
    rate = wilson(3, 4)
    assert (found.wilson_low["content"], found.wilson_high["content"]) == (rate.low, rate.high)
    assert pd.isna(found.wilson_low["average"])
    assert (found.low <= found.value).all() and (found.value <= found.high).all()


def test_a_mixture_is_shown_if_all_three_are_yes() -> None:
    keys = ("shows_a", "shows_b", "one_object")
    said = ["yes yes yes", "yes yes no", "no yes yes", "yes yes yes"]
    answers = {key: dict(zip(keys, own.split(), strict=True)) for key, own in zip(ANSWERS, said, strict=True)}
    found = mixture(votes("mixture", answers), FEW).set_index("question")
    assert list(found.index) == ["success", *keys]
    assert found.value.to_dict() == {"success": 0.5, "shows_a": 0.75, "shows_b": 1.0, "one_object": 0.75}
    rate = wilson(2, 4)
    assert (found.wilson_low["success"], found.wilson_high["success"]) == (rate.low, rate.high)


def test_ratings_are_means() -> None:
    answers = {key: {"quality": str(i + 1)} for i, key in enumerate(ANSWERS)}
    both = pd.concat([votes("rating", answers, "b"), votes("rating", {key: {"quality": "5"} for key in ANSWERS}, "a")])
    found = ratings(both, FEW).set_index("method")
    assert found.value.to_dict() == {"a": 5.0, "b": 2.5} and list(found.index) == ["a", "b"]
    assert found.low["a"] == found.high["a"] == pytest.approx(5.0)
    assert 1 <= found.low["b"] < 2.5 < found.high["b"] <= 4
