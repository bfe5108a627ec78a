from pathlib import Path

import pandas as pd
import pytest

from pipeline.config import params
from pipeline.report.pages import overview
from pipeline.report.pages.paper_harivo import build
from pipeline.report.results import Results
from tests.pipeline.report.reading import Reader, words


def test_tables_stand_beside_the_papers(report: Path) -> None:
    tables = Reader(report / "paper_harivo.html").tables
    assert ["mixed, a = 1", "60.0 (50.0–70.0)", "63.01", "4×24×8×8", "0.5"] in tables["table-harivo_table_a1"]
    assert tables["table-harivo_table_1"][1][-1] == "1,934.72"
    ours = tables["table-harivo_table_a2"][-1]
    assert ours[0] == "+ MG sampling" and ours[1] == "50.0 (25–75)" and ours[7] == "80.5"


def test_the_separated_best_is_bold(report: Path) -> None:
    assert "50.0 (25–75)" in Reader(report / "paper_harivo.html").bold


def test_the_long_table_has_the_papers_values(report: Path) -> None:
    table = pd.read_csv(report / "tables/harivo_table_a2.csv").set_index(["variant", "metric"])
    assert table.paper["+ mapping", "average"] == 0.715
    assert table.paper["baseline", "fvd"] == 1934.72
    assert table.value["+ mapping", "content"] == 0.5


def test_the_test_is_told_with_its_interval(report: Path) -> None:
    text = words(Reader(report / "paper_harivo.html"))
    assert "is +10.0 points (−10.0 to +20.0) from that of animatediff: better in 1, worse in 0" in text
    assert "p = 0.4. No difference is shown." in text


def test_nothing_is_concluded_from_an_ablation_that_compares_nothing(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where harivo.remark says so: no test, no tile, no bold value, and the remark in their place."""
    monkeypatch.chdir(run)
    wanted = params.load()
    placeholders = wanted.model_copy(update={"harivo": wanted.harivo.model_copy(update={"remark": "Placeholders."})})
    results = Results.read(placeholders)
    content = build(results)
    assert content.context["tests"] == []
    own = [table for table in content.tables if table.name in ("harivo_table_1", "harivo_table_a2")]
    assert [table.remarks[0] for table in own] == ["Placeholders."] * 2
    assert not any(cell.bold for table in own for row in table.rows for cell in row)
    front = overview.build(results).context
    assert [tile.title for tile in front["tiles"]] == ["richspace against cogvideox"] * 2
    assert "HARIVO: Placeholders." in front["remarks"]
    assert set(results.comparisons["leaders"].table) == {"mixtures"}
    assert set(results.comparisons["differences"].candidate) == {"richspace"}
