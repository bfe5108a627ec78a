"""When a loss has settled, and Figure 2b."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.etc import losses
from pipeline.report.etc.losses import NEAR, WINDOW, settled, smoothed
from pipeline.report.results import Results
from tests.pipeline.report.reading import Reader


def test_a_loss_is_smoothed_over_the_steps_before() -> None:
    """Rows of validations have none, and do not count."""
    history = pd.DataFrame({"step": [100, 200, 300, 300, 400, 500, 600], "loss": [6, 5, 4, np.nan, 3, 2, 1]})
    found = smoothed(history)
    assert found.index.tolist() == [WINDOW, 600]
    assert found.tolist() == [4, 3]


@pytest.mark.parametrize("rows", [1, 3])
def test_a_training_that_is_shorter_than_the_mean_has_no_curve(rows: int) -> None:
    assert smoothed(pd.DataFrame({"step": [20, 40, 60][:rows], "loss": 1.0})).empty


@pytest.mark.parametrize(
    ("values", "step"),
    [([1.0, 1.0, 1.0], 1), ([2.0, 1.04, 1.0], 2), ([2.0, 1.04, 1.5, 1.0], 4), ([0.5, 0.97, 1.0], 2)],
)
def test_when_a_loss_has_settled(values: list[float], step: int) -> None:
    assert settled(pd.Series(values, index=range(1, len(values) + 1))) == step


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=30))
def test_after_it_has_settled_no_value_is_far(values: list[float]) -> None:
    curve = pd.Series(values, index=range(20, 20 * len(values) + 1, 20))
    step, near = settled(curve), (curve - values[-1]).abs() <= NEAR * values[-1]
    assert near[curve.index >= step].all()
    assert step == curve.index[0] or not near[step - 20]


def test_both_models_have_their_losses(report: Path) -> None:
    """Of the fixture: 4 to step 2,000, then 1 and 2; the mean over 500 steps is there 250 steps later."""
    _, grid, temporal = Reader(report / "paper_etc.html").tables["table-etc_figure2b"]
    assert grid[:4] == ["etc_rate_8", "4.000", "1.000", "2,500"]
    assert temporal[:4] == ["temporal_attention", "4.000", "2.000", "2,500"]


def test_both_are_lines_of_one_figure(results: Results) -> None:
    figure = json.loads(losses.section(results, {}).plots["etc_losses"])
    assert [line["name"] for line in figure["data"]] == ["etc", "temporal attention"]


def test_without_the_baseline_the_figure_is_missing(results: Results) -> None:
    kept = {name: point for name, point in results.params.etc.points.items() if name != "temporal_attention"}
    etc = results.params.etc.model_copy(update={"points": kept})
    content = losses.section(replace(results, params=results.params.model_copy(update={"etc": etc})), {})
    assert (content.tables, content.plots) == ((), {})
    assert content.missing == ["Figure 2b needs trained weights of a grid and of temporal attention (etc.points)."]
