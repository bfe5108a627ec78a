from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.report import cue
from pipeline.report.results import Results
from tests.pipeline.report.reading import Reader, words


def test_a_control_stands_below_its_training(report: Path) -> None:
    """Wilson's intervals for 100 and 50 of 200, from the closed form."""
    table = Reader(report / "paper_harivo.html").tables["table-harivo_cue"]
    assert table[1][:2] == ["animatediff", "yes"]
    assert table[2][:2] == ["animatediff_cueless", "no"]
    assert [row[4] for row in table[1:]] == ["50.0 (43.1–56.9)", "25.0 (19.5–31.4)"]
    assert {row[5] for row in table[1:]} == {"–"}  # smoothness is not in these histories
    assert {row[-1] for row in table[1:]} == {"200"}


def test_a_training_that_is_not_there_is_left_out(report: Path) -> None:
    """The text-to-image model has no history in this run."""
    assert set(pd.read_csv(report / "tables/harivo_cue.csv").training) == {"animatediff", "animatediff_cueless"}


def test_without_controls_there_is_no_table(results: Results) -> None:
    none = results.params.model_copy(update={"report": results.params.report.model_copy(update={"controls": {}})})
    assert cue.table(replace(results, params=none)) is None


def test_the_page_says_what_is_missing(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.report.pages.paper_harivo import build

    monkeypatch.setattr(cue, "table", lambda _: None)
    assert any("the cue" in sentence for sentence in build(results).missing)


def test_it_says_which_figures_do_not_compare(report: Path) -> None:
    assert "FVD and CLIPSIM do not compare with a control" in words(Reader(report / "paper_harivo.html"))
