from itertools import product
from pathlib import Path

import pandas as pd

from pipeline.report.results import Results
from tests.pipeline.report.reading import Reader


def test_every_sweep_has_a_plot_and_its_values(report: Path, results: Results) -> None:
    page = Reader(report / "sweeps.html")
    assert set(page.plots) == {f"sweep-{name}" for name in ("mg_scale", "lambda_trs", "lambda_reg", "lambda_dc")}
    alpha = page.tables["table-harivo_sweep_mg_scale"]
    swept = results.sweeps[results.sweeps.steps == 0]
    assert [row[0] for row in alpha[1:]] == [f"{value:g}" for value in swept.mg_scale]
    assert alpha[0][0] == "α" and "Roughness ↓ (px)" in alpha[0]


def test_the_grid_turns_each_weight_off_and_on(report: Path) -> None:
    rows = Reader(report / "sweeps.html").tables["table-harivo_sweep_lambda_grid"][1:]
    off_and_on = sorted(tuple(cell != "0" for cell in row[:3]) for row in rows)
    assert off_and_on == sorted(product((False, True), repeat=3))


def test_the_csv_holds_every_measured_value(report: Path, results: Results) -> None:
    data = pd.read_csv(report / "tables/harivo_sweep_mg_scale.csv")
    assert set(data) == set(results.sweeps)
