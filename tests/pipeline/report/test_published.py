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

OF_SAME, OF_RUN = ", of the same clips", ", this run"


def test_each_method_has_its_figures_and_below_them_the_run(results: Results) -> None:
    tables = {table.name: [[cell.text for cell in row] for row in table.rows] for table in published.tables(results)}
    rows = tables["published_mixtures"]
    names = list(dict.fromkeys(results.mixed.method))
    assert [row[0] for row in rows] == [f"{name}{said}" for name in names for said in ("", OF_SAME, OF_RUN)]
    titles = [column.title for column in published.tables(results)[0].columns]
    assert titles[:3] == ["Method", "Clips", "Mixture shown ↑ (%)"]  # the main number, then how it was made
    figures, alike, here = rows[:3]
    fvd = next(i for i, title in enumerate(titles) if title.startswith("FVD"))
    assert figures[fvd].startswith("0.600 (") and (alike[fvd], here[fvd]) == ("0.600 (0.10–0.90)", "≈ 0.500")
    assert (figures[1], alike[1], here[1]) == (str(CLIPS), str(HERE), str(HERE))
    others = [row for row in tables["published_prompts"] if row[0].startswith(f"{OF_OTHER_WEIGHTS},")]
    assert [(row[0], set(row[2:])) for row in others] == [(f"{OF_OTHER_WEIGHTS}{OF_RUN}", {"–"})]


def test_the_file_has_all_three_values(results: Results) -> None:
    tables = {table.name: table.data for table in published.tables(results)}
    own = tables["published_mixtures"].set_index(["method", "metric"]).loc["cogvideox", "fvd"]
    assert (own.value_published, own.value_same_clips, own.value_this_run) == (0.6, 0.6, 0.5)
    assert (own.low_same_clips, own.high_same_clips, own.verdict) == (0.1, 0.9, "reproduced")
    assert (own.clips_published, own.clips, own.flag_this_run) == (CLIPS, HERE, "n = 2 < 401")
    others = tables["published_prompts"].set_index("method").loc[OF_OTHER_WEIGHTS]
    assert set(others[others.metric == ""].verdict) == {"other weights"}
    assert others[others.metric != ""].value_published.notna().all()


def test_what_differs_is_bold_and_what_cannot_be_compared_is_noted(results: Results) -> None:
    for table in published.tables(results):
        bold = [cell.text for row in table.rows for cell in row if cell.bold]
        assert all(text.startswith("≠ ") for text in bold)
        assert bool(bold) == (table.name == "published_mixtures")  # one method alone
        assert ("other weights" in table.marks) == (table.name == "published_prompts")
        assert "n = 2 < 401" in table.marks


def test_published_differences_are_shown(results: Results) -> None:
    assert results.full_size is not None
    (table,) = published.differences(results)
    assert table.name == "published_differences"
    assert len(table.data) == len(results.full_size.comparisons["differences"]) > 0


def test_parameters_that_are_others_are_named_at_the_runs_row(results: Results) -> None:
    """A run of more steps differs for that reason."""
    models = results.params.generate.models
    sampling = models["world"].sampling.model_copy(update={"steps": 99})
    changed = models | {"world": models["world"].model_copy(update={"sampling": sampling})}
    generate = results.params.generate.model_copy(update={"models": changed})
    other = replace(results, params=results.params.model_copy(update={"generate": generate}))
    said = f"other parameters: model.sampling.steps 99 (published: {models['world'].sampling.steps})"
    notes = {row[0].text: row[0].note for table in published.tables(other) for row in table.rows}
    assert notes[f"cogvideox{OF_RUN}"] == said and notes[f"cogvideox{OF_SAME}"] == ""
    assert not any("other parameters" in mark for table in published.tables(results) for mark in table.marks)


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
    assert "60.0 %" in text
    assert "This run: 50.0 %. Published, of the same 2 clips: 60.0 % (10–90). Differs." in text
    assert words(Reader(report / "published.html")).count("A processor") > len(results.manifests)


def test_methods_of_ones_own_stand_on_the_overview_with_the_runs_numbers(results: Results) -> None:
    whole = results.full_size
    assert whole is not None
    few = replace(results, full_size=replace(whole, metrics=whole.metrics[whole.metrics.method != DIFFERING]))
    tiles = {tile.title: tile for tile in overview.build(few).context["tiles"] if tile.metric == "Mixture shown ↑"}
    assert "50.0" in tiles[f"{DIFFERING} against cogvideox"].value
    marked = f"{DIFFERING} (this run)"
    assert set(overview._rows(few).method) == {marked} | set(results.metrics.method) - {DIFFERING}


def test_methods_without_published_figures_are_named(results: Results) -> None:
    few = replace(results, manifests=[one for one in results.manifests if one.method != DIFFERING])
    before, after = (published.background(one) for one in (results, few))
    assert before is not None and after is not None
    assert set(after["alone"]) - set(before["alone"]) == {DIFFERING}


def test_methods_without_a_clip_in_common_are_named(results: Results) -> None:
    others = replace(results, reproduced=results.reproduced[results.reproduced.method != DIFFERING])
    about = published.background(others)
    assert about is not None and about["elsewhere"] == [DIFFERING]


def test_pages_of_the_runs_methods_say_that_more_is_published(report: Path) -> None:
    for name, said in (("methods", 1), ("paper_richspace", 1), ("training", 0)):
        assert words(Reader(report / f"{name}.html")).count("Published figures, of more clips") == said


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


def test_fvd_by_clips_is_that_of_the_published_clips(report: Path) -> None:
    page = Reader(report / "published.html")
    assert {"fvd-published_mixtures", "fvd-published_prompts"} <= set(page.plots)
    shown = page.tables["table-fvd_by_clips_published_mixtures"]
    assert len(shown) > 1 and [cell for cell in shown[0] if cell.startswith("n = ")]
