from dataclasses import replace
from pathlib import Path

import pandas as pd

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
    assert len(Reader(report / "paper_richspace.html").plots) == 17


def test_steps_by_k_go_to_the_limit(results: Results) -> None:
    other = results.optima.assign(k=50, step=21, weight=0.42)
    content = build(replace(results, optima=pd.concat([results.optima, other])))
    table = next(table for table in content.tables if table.name == "steps_by_k")
    assert [column.title for column in table.columns[1:]] == ["k = 30", "k = 50", "k → ∞"]
    assert [cell.text for cell in table.rows[0][1:]] == ["0.400", "0.420", "0.410"]
