"""The whole report as a reader meets it: every link leads somewhere, nothing comes from a network, nothing breaks."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.evaluation.catalogue import METRICS
from pipeline.report.harivo_comparison import PAPER
from pipeline.report.pages import PAGES
from pipeline.report.rendering import FORMATS
from pipeline.report.results import Results
from pipeline.report.site import Headings, write_report
from tests.pipeline.report.conftest import metric_row
from tests.pipeline.report.reading import Reader, words

_INTERVAL, _SPREAD = r" \(−?[\d,.]+(–| to )−?[\d,.]+\)", r" ± [\d,.]+( \(best of \d: −?[\d,.]+\))?"
_MEASURED = re.compile(rf"−?[\d,.]+({_INTERVAL}|{_SPREAD})[†‡§¶‖#]*")


def check(report: Path) -> dict[str, Reader]:
    """What must hold of every report; gives its pages by name."""
    pages = {page.file: Reader(report / page.file) for page in PAGES}
    assert {path.name for path in report.glob("*.html")} == set(pages)
    for name, page in pages.items():
        assert page.unclosed == [], name
        assert len(page.ids) == len(set(page.ids)), name
        assert set(page.plots) == set(page.places), name
        assert set(pages) <= set(page.references), f"{name}: a page is missing in the navigation"
        assert all(image.get("alt") for image in page.images), name
        for reference in set(page.references) - {"data:,"}:
            assert not re.match(r"\w+:|//", reference), f"{name}: {reference} is not of this report"
            file, _, anchor = reference.partition("#")
            assert (report / (file or name)).is_file(), f"{name}: {reference}"
            assert not anchor or anchor in pages[file or name].ids, f"{name}: {reference}"
    return pages


def test_a_whole_report(report: Path) -> None:
    pages = check(report)
    assert not any("missing" in (report / name).read_text().split("<main>")[1] for name in pages)
    for name in (
        "comparison_mixtures",
        "comparison_prompts",
        "differences",
        "fvd_by_clips_mixtures",
        "mixtures",
        "mixtures_by_attribute",
        "richspace_steps",
        "steps_by_k",
        "harivo_table_1",
        "harivo_table_2",
        "harivo_table_a1",
        "harivo_table_a2",
        "etc_table1",
        "etc_table1_paper",
        "make_a_video_parts",
        "make_a_video_pairs",
        "make_a_video_interpolation",
        "make_a_video_extrapolation",
        "make_a_video_noise",
        "harivo_sweep_mg_scale",
        "harivo_sweep_lambda_dc",
        "fingerprints",
    ):
        assert all((report / "tables" / f"{name}.{suffix}").is_file() for suffix in FORMATS), name


def test_every_heading_is_in_the_contents(report: Path) -> None:
    for page in (Reader(report / page.file) for page in PAGES):
        anchors = [reference[1:] for reference in page.references if reference.startswith("#")]
        listed = [name for name in anchors if anchors.count(name) == 2]  # in the list, and behind the heading
        assert len(set(listed)) >= 1


def test_no_measured_number_stands_without_its_interval(report: Path) -> None:
    without = {METRICS[name].title for name in ("frames_per_second", "parameters")}
    seen = 0
    for name in ("methods", "paper_harivo", "paper_make_a_video", "sweeps"):
        for rows in Reader(report / f"{name}.html").tables.values():
            for i, header in enumerate(rows[0]):
                title = re.sub(r" \(.*\)|[†‡§¶‖#]", "", header).strip()
                if title in {metric.title for metric in METRICS.values()} - without:
                    cells = [row[i] for row in rows[1:] if row[i] != "–" and not row[0].startswith(PAPER)]
                    assert all(map(_MEASURED.fullmatch, cells)), (name, header, cells)
                    seen += len(cells)
    assert seen > 100


def test_no_cell_holds_two_values(report: Path) -> None:
    for table in (report / "tables").glob("comparison_*.md"):
        header = next(line for line in table.read_text().split("\n") if line.startswith("|"))
        assert header.count("|") <= 14
        assert "fingerprint" not in header


def test_texts_cannot_break_a_page(report: Path) -> None:
    page = report / "mixtures.html"
    assert "<b>bold</b>" not in page.read_text()
    assert 'A "<b>bold</b>" prompt & more' in Reader(page).headings[-2] + "".join(Reader(page).headings)


def test_failed_clips_are_shown(report: Path) -> None:
    page = Reader(report / "mixtures.html")
    assert words(page).count("failed") == 1
    assert len(page.images) == 2 * 6 - 1


def test_pictures_load_when_they_are_seen(report: Path) -> None:
    images = [image for page in PAGES for image in Reader(report / page.file).images]
    assert images and all(image["loading"] == "lazy" for image in images)


def test_a_new_report_replaces_the_old_one(results: Results, tmp_path: Path) -> None:
    (tmp_path / "stale.txt").write_text("")
    assert write_report(results, tmp_path) == tmp_path / "index.html"
    assert not (tmp_path / "stale.txt").exists()


def test_two_headings_of_the_same_words_are_refused() -> None:
    headings = Headings()
    headings.add("λ_TRS")
    assert headings.titles == {"λ_trs": "λ_TRS"}
    with pytest.raises(ValueError, match="twice"):
        headings.add("λ_trs")


def only(results: Results, metrics: pd.DataFrame) -> Results:
    """A run that has just these metrics: whatever else names another method is gone."""
    names = set(metrics.method)
    columns = {"leaders": "best", "differences": "candidate"}
    comparisons = {
        name: table[table[columns.get(name, "method")].isin(names)] for name, table in results.comparisons.items()
    }
    tests = {
        kind: [test for test in results.evaluation[kind] if test["candidate"] in names]
        for kind in ("success_tests", "attribute_tests")
    }
    verdicts = results.verdicts[results.verdicts.method.isin(names)]
    evaluation = results.evaluation | tests
    return replace(results, metrics=metrics, comparisons=comparisons, verdicts=verdicts, evaluation=evaluation)


def without_prompts(results: Results) -> Results:
    return without_trials(only(results, results.mixed))


def without_trials(results: Results, ablation: dict[str, str] | None = None) -> Results:
    trials = results.params.harivo.trials.model_copy(update={"points": {}, "choices": {}, "ablation": {}, "pairs": []})
    changes = {"trials": trials} | ({} if ablation is None else {"ablation": ablation})
    harivo = results.params.harivo.model_copy(update=changes)
    return replace(results, params=results.params.model_copy(update={"harivo": harivo}), trials=results.trials.iloc[:0])


def without_mixtures(results: Results) -> Results:
    own = only(results, results.prompted)
    return replace(
        own, mixtures=[], generated=[], optima=results.optima.iloc[:0], curves={}, verdicts=results.verdicts.iloc[:0]
    )


def without_ablation(results: Results) -> Results:
    return without_trials(results, {})


def ablation_of_mixtures(results: Results) -> Results:
    return without_trials(results, {"baseline": "richspace"})


def imported_videos_only(results: Results) -> Results:
    """Of methods that are not there nothing is compared, published or not."""
    rows = [metric_row("lvdm", "videos", metric) for metric in ("fvd", "kvd", "clipsim")]
    generate = results.params.generate.model_copy(update={"methods": {}})
    evaluate = results.params.evaluate.model_copy(update={"comparisons": []})
    kept = without_mixtures(only(results, pd.DataFrame(rows)))
    wanted = results.params.model_copy(update={"generate": generate, "evaluate": evaluate})
    return replace(kept, metrics=pd.DataFrame(rows), params=wanted)


def without_analyses(results: Results) -> Results:
    return replace(results, normality=None, mapping_effect=None, sweeps=pd.DataFrame())


def without_make_a_video(results: Results) -> Results:
    return replace(results, make_a_video=pd.DataFrame({"method": [], "metric": []}), interpolation=None,
                   extrapolation=None, consistency=None, passed_on=None)  # fmt: skip


def nothing_evaluated(results: Results) -> Results:
    return only(results, results.metrics.iloc[:0])


@pytest.mark.parametrize(
    ("change", "page", "said"),
    [
        (without_prompts, "methods", "No method of this run was asked for prompts."),
        (without_prompts, "paper_harivo", "Tables 1 and A2"),
        (without_mixtures, "mixtures", "This run has no mixtures."),
        (without_mixtures, "methods", "No method of this run was asked for mixtures"),
        (without_mixtures, "paper_richspace", "The paper's mixtures (prompt set richspace) are not in this run."),
        (without_ablation, "paper_harivo", "Tables 1 and A2"),
        (ablation_of_mixtures, "paper_harivo", "Tables 1 and A2"),
        (imported_videos_only, "methods", "No method of this run was asked for prompts."),
        (imported_videos_only, "index", "No two methods of this run were compared"),
        (without_analyses, "paper_harivo", "Table A1 needs the stage normality."),
        (without_analyses, "sweeps", "No point of a sweep has a result."),
        (without_make_a_video, "paper_make_a_video", "What each part buys needs points of Make-A-Video's"),
        (without_make_a_video, "paper_make_a_video", "Interpolation, by numbers, needs the stage cascade_parts."),
        (imported_videos_only, "paper_make_a_video", "What each part buys needs points of Make-A-Video's"),
        (without_prompts, "paper_harivo", "Table 2 needs a method that was asked for prompts and evaluated."),
        (nothing_evaluated, "paper_etc", "Table 1 needs a method that was evaluated."),
        (nothing_evaluated, "protocol", "Nothing was evaluated."),
        (nothing_evaluated, "mixtures", "was judged"),
    ],
)
def test_what_is_missing_is_said(
    results: Results, tmp_path: Path, change: Callable[[Results], Results], page: str, said: str
) -> None:
    pages = check(write_report(change(results), tmp_path / "report").parent)
    assert said in words(pages[f"{page}.html"])
