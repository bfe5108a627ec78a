from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeline.report.pages.methods import build
from pipeline.report.results import Results
from tests.pipeline.report.conftest import metric_row
from tests.pipeline.report.reading import Reader, words


def test_methods_are_grouped_by_what_they_were_asked_for(report: Path, results: Results) -> None:
    tables = Reader(report / "methods.html").tables
    names = {group: {row[0] for row in tables[f"table-comparison_{group}"][1:]} for group in ("mixtures", "prompts")}
    assert {"cogvideox", "richspace", "end_a"} <= names["mixtures"]
    assert {"frames", "animatediff", "harivo"} <= names["prompts"]
    assert not names["mixtures"] & names["prompts"]
    assert names["mixtures"] | names["prompts"] == set(results.metrics.method)


def test_the_page_says_what_each_method_is(report: Path) -> None:
    """From the methods' own files, so that a new one needs no word here."""
    text = words(Reader(report / "methods.html"))
    assert "any model on the optimal interpolation of a mixture's parts (RichSpace, Algorithm 1)." in text


def test_the_toy_worlds_metrics_are_explained(report: Path) -> None:
    text = words(Reader(report / "methods.html"))
    assert "FVD compares with reference clips of the toy world whose prompts are not mixtures." in text
    assert "The intervals of FVD and KVD are for the value expected at this number of clips." in text
    assert "Content: colour, shape, texture and size are what the prompt states;" in text


def test_comparisons_are_shown(report: Path) -> None:
    page = Reader(report / "methods.html")
    assert page.tables["table-differences"][1][:2] == ["richspace − cogvideox", "−12.5 (−20 to −1)"]
    assert page.tables["table-over_seeds_mixtures"][1][1:4] == ["9.0 ± 1.0 (best of 2: 8.3)", "0.50 ± 0.25", "40"]
    assert set(page.plots) == {"fvd-mixtures", "fvd-prompts"}


def test_imported_videos_stand_beside_the_methods(results: Results) -> None:
    imported = pd.DataFrame([metric_row("lvdm", "videos", "fvd")])
    content = build(replace(results, metrics=pd.concat([results.metrics, imported])))
    table = next(table for table in content.tables if table.name == "comparison_mixtures")
    assert "lvdm" in [row[0].text for row in table.rows]
