"""Published figures beside a run's values; what stands on the pages."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.config import params
from pipeline.report import published
from pipeline.report.pages import overview
from pipeline.report.pages.published import build
from pipeline.report.results import Results
from tests.pipeline.report.published_results import CLIPS, DIFFERING, HERE, OF_OTHER_WEIGHTS, SAME
from tests.pipeline.report.reading import Reader, words


def test_each_method_has_its_figures_and_below_them_the_run(results: Results) -> None:
    tables = {table.name: [[cell.text for cell in row] for row in table.rows] for table in published.tables(results)}
    names = [row[0] for row in tables["published_mixtures"]]
    assert names[::2] == list(dict.fromkeys(results.mixed.method)) and set(names[1::2]) == {"· this run"}
    figures, here = tables["published_mixtures"][:2]
    assert figures[1].startswith("0.6 (") and here[1] == "0.5, reproduced"  # FVD
    assert (figures[-1], here[-1]) == (str(CLIPS), str(HERE))
    by_method = {row[0]: below for row, below in zip(*[iter(tables["published_prompts"])] * 2, strict=True)}
    assert set(by_method[OF_OTHER_WEIGHTS][1:-1]) == {"–"}


def test_what_differs_is_bold_and_what_cannot_be_compared_is_noted(results: Results) -> None:
    for table in published.tables(results):
        bold = [cell.text for row in table.rows for cell in row if cell.bold]
        assert all(text.endswith(", differs") for text in bold)
        assert bool(bold) == (table.name == "published_mixtures")  # one method alone
        assert ("other weights" in table.marks) == (table.name == "published_prompts")


def test_verdicts_are_counted(results: Results) -> None:
    about = published.background(results)
    assert about is not None
    own = results.reproduced
    assert (about["reproduced"], about["differs"]) == tuple((own.verdict == x).sum() for x in ("reproduced", "differs"))
    methods = own.method.nunique() - 1
    assert (about["compared"], about["others"]) == (len(own) - 1, 1)
    assert (about["common"], about["same"]) == (HERE * methods, SAME * methods)
    assert about["clips"] == CLIPS * len(results.params.published.methods)


def test_the_overview_leads_with_published_figures(report: Path, results: Results) -> None:
    text = words(Reader(report / "index.html"))
    assert "60.0 %" in text and "This run: 50.0 %, differs." in text
    assert words(Reader(report / "published.html")).count("A processor") > len(results.manifests)


def test_methods_of_ones_own_stand_on_the_overview_with_the_runs_numbers(results: Results) -> None:
    whole = results.full_size
    assert whole is not None
    few = replace(results, full_size=replace(whole, metrics=whole.metrics[whole.metrics.method != DIFFERING]))
    tiles = {tile.title: tile for tile in overview.build(few).context["tiles"] if tile.metric == "Mixture shown ↑"}
    assert "50.0" in tiles[f"{DIFFERING} against cogvideox"].value
    assert set(overview._rows(few).method) == set(results.metrics.method)


def test_figures_keep_the_choices_that_they_were_made_with(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run)
    wanted = params.load()
    other = wanted.model_copy(update={"evaluate": wanted.evaluate.model_copy(update={"confidence": 0.5})})
    results = Results.read(other)
    assert results.full_size is not None
    assert (results.params.evaluate.confidence, results.full_size.params.evaluate.confidence) == (0.5, 0.95)
    assert all(any("95 %" in remark for remark in table.remarks) for table in published.tables(results))


def test_without_published_figures_the_run_stands_alone(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run)
    alone = Results.read(params.load().model_copy(update={"published": params.Published()}))
    alone = replace(alone, reproduced=alone.reproduced[:0])
    assert alone.full_size is None and published.tables(alone) == [] and published.background(alone) is None
    assert build(alone).missing == ["No figures are published."]
    tiles = overview.build(alone).context["tiles"]
    assert tiles and {tile.here for tile in tiles} == {""}
    assert isinstance(overview._rows(alone), pd.DataFrame)
