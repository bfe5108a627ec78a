from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeline.report import oracle
from pipeline.report.pages.paper_richspace import build
from pipeline.report.results import Results
from tests.pipeline.report.reading import Reader


def test_steps_stand_beside_the_papers(report: Path) -> None:
    """The paper prints step 14 for tiger and zebra (Figure 3); here the search found 12."""
    table = pd.read_csv(report / "tables/richspace_steps.csv")
    assert table.figure.tolist() == sorted(table.figure) and len(table) == 17
    tiger = table[table.mixture == "tiger-zebra"].iloc[0]
    assert (tiger.paper_step, tiger.step, tiger.difference, tiger.continuous_step) == (14, 12, -2, 12.3)
    shown = Reader(report / "paper_richspace.html").tables["table-richspace_steps"]
    assert ["tiger-zebra", "12", "14", "−2", "12.3", "success", "3"] in shown


def test_every_published_mixture_has_its_curve(report: Path) -> None:
    assert sum(name.startswith("curve-") for name in Reader(report / "paper_richspace.html").plots) == 17


def test_steps_by_k_go_to_the_limit(results: Results) -> None:
    other = results.optima.assign(k=50, step=21, weight=0.42)
    content = build(replace(results, optima=pd.concat([results.optima, other])))
    table = next(table for table in content.tables if table.name == "steps_by_k")
    assert [column.title for column in table.columns[1:]] == ["k = 30", "k = 50", "k → ∞"]
    assert [cell.text for cell in table.rows[0][1:]] == ["0.400", "0.420", "0.410"]


def test_the_oracle_is_a_table_and_words_that_follow_from_it(report: Path) -> None:
    table = pd.read_csv(report / "tables/richspace_oracle.csv")
    assert list(table)[:6] == ["attribute", "n", "oracle", "midpoint", "richspace", "guide"]
    assert table.set_index("attribute").oracle.to_dict() == {"colour": 75.0, "shape": 62.5, "all": 70.0}
    page = Reader(report / "paper_richspace.html")
    words = " ".join(page.text.split())
    assert "any step 70.0 % (10.0–90.0), the midpoint 40.0 % (10.0–90.0), RichSpace's step 35.0 %" in words
    assert "RichSpace's step shows 50.0 % (10.0–90.0) of the pairs that any step shows." in words
    assert "A clip of one part alone sometimes counts as the mixture too: part b: 0.0 %, part a: 20.0 %." in words
    assert "Every step 0 … 2 of the interpolation was sampled." in words
    assert "Below that: colour (75.0 % of pairs, 100.0 % of mixtures). Not asked for: texture, size, motion." in words
    row = next(row for row in page.tables["table-richspace_oracle"] if row[0] == "shape")
    assert row[:6] == ["shape", "8", *(f"{x} (10.0–90.0)" for x in (62.5, 25.0, 50.0, 12.5))]
    (lines,) = [plot["data"] for name, plot in page.plots.items() if name == "oracle"]
    assert [(line["name"], line["x"], line["y"]) for line in lines] == [
        (name, [0, 0.5, 1], [0, 10, 20]) for name in ("colour", "shape", "all")
    ]
    assert ["all", "0.0", "10.0", "20.0"] in page.tables["table-richspace_oracle_steps"]


def test_what_the_oracle_says_where_all_or_nothing_is_shown(results: Results) -> None:
    every = replace(results, oracle=results.oracle.assign(oracle=100.0))
    assert oracle.summary(every)["below"] == ""
    nothing = replace(results, oracle=results.oracle.assign(oracle=0.0, share=float("nan")))
    assert oracle.summary(nothing)["share"] == ""
    assert oracle.summary(nothing)["below"].startswith("colour (0.0 % of pairs, 100.0 % of mixtures), shape (0.0 %")


def test_columns_are_named_as_the_words_are(results: Results) -> None:
    rates, _ = oracle.tables(results)
    titles = [column.title for column in rates.columns[2:6]]
    assert titles == ["Any step (%)", "Midpoint (%)", "RichSpace's step (%)", "Guide prompt (%)"]


def test_a_run_without_an_oracle_says_so(results: Results) -> None:
    content = build(replace(results, oracle=results.oracle[:0], oracle_steps=results.oracle_steps[:0]))
    assert content.context["oracle"] is None
    assert any("richspace.oracle" in said for said in content.missing)
    assert "richspace_oracle" not in [table.name for table in content.tables]
