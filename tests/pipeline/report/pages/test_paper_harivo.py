from pathlib import Path

import pandas as pd
import pytest

from pipeline.config import params
from pipeline.config.harivo import Trials
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


def test_a_run_without_trials_shows_its_own_methods_with_the_separated_best(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run)
    wanted = params.load()
    trials = Trials(method="harivo", prompts=2)
    content = build(
        Results.read(wanted.model_copy(update={"harivo": wanted.harivo.model_copy(update={"trials": trials})}))
    )
    table = next(table for table in content.tables if table.name == "harivo_table_a2")
    assert "50.0 (25–75)" in {cell.text for row in table.rows for cell in row if cell.bold}
    assert not {"harivo_rates", "harivo_contrast", "harivo_timesteps"} & {table.name for table in content.tables}


def test_the_rate_with_the_least_validation_loss_is_bold(report: Path) -> None:
    page = Reader(report / "paper_harivo.html")
    assert page.tables["table-harivo_rates"][0][:4] == ["Training", "0.0003", "0.001", "0.003"]
    assert page.tables["table-harivo_rates"][1] == ["harivo_base", "0.1997", "0.1990", "0.1970", "50.0 (25–75)"]
    assert "0.1970" in page.bold and "0.1990" not in page.bold


def test_what_shows_whether_the_contrast_learns(report: Path) -> None:
    """Of the last fifth of the curves and their end; and λ = 0.1 times the gradient of L_DC over that of L_simple."""
    rows = Reader(report / "paper_harivo.html").tables["table-harivo_contrast"]
    free = ", gradient not limited"  # sorted last: what the limit changes stands above the trials of the negatives
    names = ["256", f"64{free}", f"256{free}", f"2048{free}", f"256, of the same content too{free}"]
    assert [row[0] for row in rows[1:]] == names
    assert rows[2][1:6] == ["64", "−0.62 → −0.75", "0.90 → 0.90", "0.10 → 0.10", "20.0"]
    assert [row[1:3] for row in rows[3:5]] == [["256", "−2.50 → −3.00"], ["2,048", "−20.00 → −24.00"]]


def test_uniform_timesteps_stand_below_the_bent_ones(report: Path) -> None:
    rows = Reader(report / "paper_harivo.html").tables["table-harivo_timesteps"]
    assert [row[:2] for row in rows[1:]] == [["harivo_base", "T·u^0.5"], ["harivo_base", "uniform"]]


def test_seeds_of_training_are_told_with_their_interval(report: Path) -> None:
    names, row, *_ = Reader(report / "paper_harivo.html").tables["table-harivo_seeds"]
    assert names[1:3] == ["baseline (%)", "+ tokens (%)"]  # what was paired, by the rows of the ablation
    assert row == ["average", "50.0 ± 1.0", "60.0 ± 2.0", "10.0 (−10.0 to 30.0)", "5.0", "p = 0.4"]


def test_the_long_table_has_the_papers_values(report: Path) -> None:
    table = pd.read_csv(report / "tables/harivo_table_a2.csv").set_index(["variant", "metric"])
    assert table.paper["+ mapping", "average"] == 0.715
    assert table.paper["baseline", "fvd"] == 1934.72
    assert table.value["+ mapping", "content"] == 0.5


def test_the_test_is_told_with_its_interval(report: Path) -> None:
    text = words(Reader(report / "paper_harivo.html"))
    assert "differs by +10.0 points (−10.0 to +20.0) from that of harivo_base: better in 1, worse in 0" in text
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
