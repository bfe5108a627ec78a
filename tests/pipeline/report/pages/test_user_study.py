"""The page of user studies: the papers' layouts, printed values beside, and the word "simulated" wherever it is due."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from pipeline.config import params
from pipeline.report.pages import paper_etc, paper_harivo
from pipeline.report.pages.user_study import build
from pipeline.report.printed import published
from pipeline.report.results import Results
from pipeline.report.site import write_report
from pipeline.report.user_study.printed import NAME as TABLE_4
from tests.pipeline.report.reading import Reader, words

MISSING = "Not simulated: another: this run has no clips of prompts, with the judge's verdict, by lvdm."
STUDIES = ["small-best-of", "small-pairwise", "small-attributes", "small-mixture", "small-rating"]


@pytest.fixture
def page(report: Path) -> Reader:
    return Reader(report / "user_study.html")


def rows(page: Reader, name: str) -> list[dict[str, str]]:
    header, *body = page.tables[f"table-user_study_{name}"]
    return [dict(zip(header, row, strict=True)) for row in body]


def test_every_table_of_votes_says_that_they_are_simulated(report: Path, results: Results) -> None:
    content = build(results)
    of_votes = [table for table in content.tables if table.name != TABLE_4]
    assert len(of_votes) == 12
    for table in of_votes:
        assert table.caption.startswith("Simulated: ")
        assert "Nobody voted" in table.remarks[0]
        assert pd.read_csv(report / f"tables/{table.name}.csv").simulated.all()
        assert (report / f"tables/{table.name}.tex").read_text().count("Simulated: ") == 1
    assert len(content.plots) == 2
    for figure in content.plots.values():
        assert json.loads(figure)["layout"]["xaxis"]["title"]["text"].startswith("Simulated: ")


def test_votes_of_people_are_not_called_simulated(results: Results, tmp_path: Path) -> None:
    assert results.studies is not None
    people = replace(results, studies=replace(results.studies, simulated=False, missing=()))
    write_report(people, tmp_path / "reports")
    text = words(Reader(tmp_path / "reports/user_study.html")).lower()
    assert "simulated" not in text and "nobody voted" not in text
    assert "simulated" not in words(Reader(tmp_path / "reports/paper_etc.html")).lower()


def test_shares_have_both_intervals_and_ties(page: Reader) -> None:
    header = page.tables["table-user_study_shares_small_best_of"][0]
    assert header[-4:] == ["animatediff (%)", "cogvideox_prompts (%)", "etc (%)", "cannot tell (%)"]
    everybody, wilson, *professions = rows(page, "shares_small_best_of")
    assert (everybody["Group"], wilson["Group"]) == ("everybody", "everybody, Wilson's interval")
    assert everybody["etc (%)"].split(" (")[0] == wilson["etc (%)"].split(" (")[0]
    assert everybody["etc (%)"] != wilson["etc (%)"]
    assert {row["Group"] for row in professions} <= {"AI", "Art"}
    assert sum(int(row["Votes"]) for row in professions) == int(everybody["Votes"])


def test_raters_are_in_the_papers_layout(page: Reader) -> None:
    *raters, mean = rows(page, "raters_small_best_of")
    assert list(mean)[:4] == ["Rater", "Profession", "Years", "Votes"]
    assert mean["Rater"] == "mean" and "(" in mean["etc (%)"]
    for row in raters:
        shares = [float(text) for name, text in row.items() if "%" in name]
        assert sum(shares) == pytest.approx(100, abs=0.3)
    assert [row["Profession"] for row in raters] == sorted(row["Profession"] for row in raters)
    excluded = rows(page, "studies")[0]["Left out"]
    assert len(raters) + int(excluded) == 6


def test_pairs_stand_beside_the_printed_ones(page: Reader) -> None:
    found = {row["Question"]: row for row in rows(page, "preferences_small_pairwise")}
    assert list(found) == ["motion", "consistency", "quality"]
    header = page.tables["table-user_study_preferences_small_pairwise"][0]
    assert header[1:9] == [
        *("harivo over animatediff (%)", "ties", "p", "exact p"),
        *("harivo over frames (%)", "ties", "p", "exact p"),
    ]
    assert found["motion"]["Paper: over PYoCo (%)"] == "74.07"


def test_attributes_are_by_variant_beside_the_printed_ones(page: Reader) -> None:
    first, *_, last = rows(page, "attributes_small_attributes")
    assert first["Method"] == "harivo_base (baseline)" and last["Method"] == "harivo (+ MG sampling)"
    assert (first["Paper: average (%)"], first["Paper: not weird (%)"]) == ("25.25", "14")
    assert last["Paper: smooth (%)"] == "87"


def test_what_else_votes_come_to(page: Reader) -> None:
    assert [row["Study"] for row in rows(page, "studies")] == STUDIES
    assert {row["Method"] for row in rows(page, "mixture_small_mixture")} == {"cogvideox", "richspace"}
    assert all(1 <= float(row["quality (1–5)"].split()[0]) <= 5 for row in rows(page, "ratings_small_rating"))
    strengths = [row for row in rows(page, "strengths") if row["Study"] == "small-best-of"]
    assert sum(float(row["Strength (%)"].split()[0]) for row in strengths) == pytest.approx(100, abs=0.2)
    assert {row["Study"] for row in rows(page, "reliability")} == set(STUDIES)
    assert "CLIPSIM (%)" in rows(page, "agreement")[0]
    votes, *_ = rows(page, "plan")
    assert votes["60 : 40"] == "210"
    assert {row["Methods"] for row in rows(page, "planning") if row["Study"] == "small-pairwise"} == {
        "harivo, animatediff",
        "harivo, frames",
    }


def test_what_is_missing_is_said(results: Results, tmp_path: Path) -> None:
    assert results.studies is not None
    write_report(replace(results, studies=replace(results.studies, missing=[MISSING])), tmp_path / "reports")
    assert MISSING in words(Reader(tmp_path / "reports/user_study.html"))
    content = build(replace(results, studies=None))
    assert content.missing == ["User studies need the stage study."]
    assert [table.name for table in content.tables] == [TABLE_4]


def test_a_run_without_any_study_has_the_papers_table(run: Path, results: Results, tmp_path: Path) -> None:
    assert results.studies is not None
    nothing = replace(results, studies=replace(results.studies, tables={}))
    write_report(nothing, tmp_path / "reports")
    assert list(Reader(tmp_path / "reports/user_study.html").tables) == [f"table-{TABLE_4}"]


def test_table_1_of_etc_has_the_shares(report: Path, run: Path) -> None:
    header, *body = Reader(report / "paper_etc.html").tables["table-etc_table1"]
    at = next(i for i, title in enumerate(header) if title.startswith("User study"))
    cells = {row[0]: row[at] for row in body}
    share = pd.read_csv(report / "tables/user_study_shares_small_best_of.csv").query("group == 'overall'")
    value = 100 * share.set_index("method").value["etc"]
    assert cells["etc"].startswith(f"{value:.1f} (") and cells["harivo"] == "–"
    assert "Simulated raters, nobody voted. Share of votes as the best of several, in study small-best-of" in words(
        Reader(report / "paper_etc.html")
    )


@pytest.fixture
def reference(shared: Path) -> dict[str, Any]:
    """The papers' tables, read by somebody else."""
    return yaml.safe_load((shared / "reference/paper_tables.yaml").read_text())


def test_the_papers_volunteers_by_the_same_analysis(page: Reader, reference: dict[str, Any]) -> None:
    own = rows(page, "etc_table4")
    printed = reference["etc_table4"]["rows"]
    for row, (profession, volunteer, occupation, *shares) in zip(own, printed, strict=False):
        assert (row["Volunteer"], row["Profession"], row["Occupation"]) == (volunteer, profession, occupation)
        assert [float(row[f"{model} (%)"]) for model in reference["etc_table4"]["columns"][3:]] == shares
    by_name = {row["Volunteer"]: row for row in own}
    assert by_name["WFpZ"]["Sum (%)"] == "90.0"
    assert by_name["mean of all"]["ETC (%)"].startswith("37.49 (")
    assert by_name["Table 1"]["ETC (%)"] == "35.44" and by_name["Table 1"]["Sum (%)"] == "100.00"
    assert {"mean of AI", "mean of Art"} <= set(by_name)
    said = words(page)
    assert "ETC (37.49, printed 35.44)" in said
    assert "Table 4's shares of volunteer WFpZ add up to 90.0 %, expected 100 %." in said


def test_the_printed_preferences_are_those_of_the_reference(reference: dict[str, Any]) -> None:
    own = published(paper_harivo.__file__)["table_3"]
    models = [name.removeprefix("vs_") for name in reference["harivo_table3"]["columns"][1:]]
    for question, *shares in reference["harivo_table3"]["rows"]:
        assert own[question.split()[-1]] == dict(zip(models, shares, strict=True))
    volunteers = published(paper_etc.__file__)["table_4_volunteers"]
    assert {row[1]: [row[0], row[2]] for row in reference["etc_table4"]["rows"]} == volunteers


def test_a_method_that_is_not_to_be_compared_is_remarked_on(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run)
    wanted = params.load()
    harivo = wanted.harivo.model_copy(update={"remark": "To be trained again."})
    content = build(Results.read(wanted.model_copy(update={"harivo": harivo})))
    tables = {table.name: " ".join(table.remarks) for table in content.tables}
    for name in ("preferences_small_pairwise", "attributes_small_attributes", "strengths"):
        assert "HARIVO: To be trained again." in tables[f"user_study_{name}"]
    assert "To be trained again." not in tables["user_study_mixture_small_mixture"]
