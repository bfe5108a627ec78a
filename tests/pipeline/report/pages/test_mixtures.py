from pathlib import Path

import pandas as pd

from pipeline.report.pages import mixtures
from pipeline.report.results import Results
from tests.pipeline.report.reading import Reader, words


def test_successes_are_counted_by_kind_and_by_mixture(report: Path, results: Results) -> None:
    tables = Reader(report / "mixtures.html").tables
    kinds = pd.DataFrame(tables["table-mixtures_by_attribute"][1:], columns=tables["table-mixtures_by_attribute"][0])
    assert kinds.richspace.tolist() == ["1/1"] * 2 and kinds.cogvideox.tolist() == ["0/1"] * 2
    assert [row[0] for row in tables["table-mixtures"][1:]] == [mixture.name for mixture in results.generated]
    data = pd.read_csv(report / "tables/mixtures.csv")
    assert data[data.method == "richspace"].successes.tolist() == [1, 1]


def test_the_toy_worlds_mixtures_are_judged(report: Path) -> None:
    said = "keep what the parts have in common, their motion included, by the judge; whiskers"
    assert said in words(Reader(report / "mixtures.html"))


def test_a_strip_shows_the_steps_around_the_optimum(results: Results) -> None:
    card = mixtures.card(results, results.generated[0])
    assert [shot.label for shot in card.shots] == ["step 1", "step 11", "step 12", "step 13", "step 30", "guide prompt"]
    assert [shot.label for shot in card.shots if shot.optimal] == ["step 12"]


def test_cards_are_folded_by_kind(report: Path, results: Results) -> None:
    page = Reader(report / "mixtures.html")
    assert {mixtures.kind(mixture) for mixture in results.generated} == {"colour", "shape"}
    assert {"colour ", "shape "} <= set(page.headings)
    assert "Shown by" in words(page) and "richspace 1/1" in words(page)
    assert {f"curve-{mixture.name}" for mixture in results.generated} <= set(page.plots)


def test_kinds_are_read_from_the_mixture(results: Results) -> None:
    kinds = {mixtures.kind(mixture) for mixture in results.mixtures if mixture.set == "world"}
    assert {"motion", "shape + motion"} <= kinds
