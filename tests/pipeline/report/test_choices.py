"""What each part of Algorithm 2 is worth, on the page and as a table."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeline.report import choices
from pipeline.report.results import Results
from tests.pipeline.report.reading import Reader, words


def test_a_row_for_each_choice_the_optimum_first(report: Path) -> None:
    table = Reader(report / "paper_richspace.html").tables["table-richspace_choices"]
    assert [line[1] for line in table[1:]] == list(choices.NAMES.values())
    assert table[1][:4] == ["all (6 mixtures, 8 pairs)", "RichSpace's step", "25.0 (10.0–50.0)", "–"]
    assert table[5][2:] == ["75.0", "−50.0", "0, 5", "p = 0.03"]


def test_the_page_says_who_is_better_and_what_is_the_same(report: Path) -> None:
    page = words(Reader(report / "paper_richspace.html"))
    assert "the midpoint 75.0 % (RichSpace's step is better for 0 mixtures, worse for 5; p = 0.03)" in page
    assert "come from: full curve alone, truncated curve alone." in page


def test_without_an_oracle_there_is_nothing(results: Results) -> None:
    none = replace(results, choices=pd.DataFrame(columns=list(results.choices)))
    assert choices.tables(none) == [] and choices.summary(none) is None
