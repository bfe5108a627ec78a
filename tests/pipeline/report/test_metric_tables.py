from dataclasses import replace

import pandas as pd

from pipeline.evaluation.catalogue import METRICS
from pipeline.report import metric_tables
from pipeline.report.results import Results
from pipeline.report.table import Table
from tests.pipeline.report.conftest import FEW


def texts(table: Table) -> pd.DataFrame:
    """The cells' texts by row and column."""
    rows = [[cell.text for cell in row] for row in table.rows]
    return pd.DataFrame(rows, columns=[column.header for column in table.columns]).set_index(table.columns[0].header)


def test_every_value_is_one_cell_with_its_interval(results: Results) -> None:
    table = metric_tables.comparison(results, results.mixed, "mixtures", "caption")
    shown = texts(table)
    assert shown.loc["richspace", METRICS["success_rate"].title] == "50.0 (25–75)"
    assert shown.loc["richspace", METRICS["fvd"].title] == METRICS["fvd"].cell(0.5, 0.25, 0.75)
    assert shown.loc["richspace", METRICS["parameters"].title] == "7"
    assert set(shown.index) == set(results.mixed.method)
    assert table.columns[1].title == "Mixture shown ↑ (%)"  # the main number comes first


def test_only_the_separated_best_is_bold(results: Results) -> None:
    def bold(table: Table) -> list[tuple[str, str]]:
        headers = [column.header for column in table.columns]
        cells = [(row[0].text, *pair) for row in table.rows for pair in zip(headers, row, strict=True)]
        return [(method, header) for method, header, cell in cells if cell.bold]

    own = metric_tables.comparison(results, results.mixed, "mixtures", "")
    assert bold(own) == [("richspace", METRICS["success_rate"].title)]  # not FVD, whose leader is not separated
    assert metric_tables.BOLD in own.remarks
    assert bold(metric_tables.comparison(results, results.prompted, "prompts", "")) == []


def test_flags_are_footnotes(results: Results) -> None:
    table = metric_tables.comparison(results, results.mixed, "mixtures", "")
    fvd = next(column for column in table.columns if column.header == METRICS["fvd"].title)
    assert fvd.note == FEW  # of all cells
    assert metric_tables.FEW in table.remarks
    assert table.marks == {FEW: "†"}


def test_failed_clips_are_told(results: Results) -> None:
    metrics = results.metrics.copy()
    metrics.loc[metrics.method == "richspace", ["generated", "scored"]] = [1, 1]
    own = replace(results, metrics=metrics)
    table = metric_tables.comparison(own, own.mixed, "mixtures", "")
    assert texts(table).Clips[["richspace", "cogvideox"]].tolist() == ["1 of 2", "2"]
    assert "2 requested, 1 generated, 1 scored" in table.marks


def test_the_csv_is_long_and_complete(results: Results) -> None:
    data = metric_tables.comparison(results, results.prompted, "prompts", "").data
    pd.testing.assert_frame_equal(data, results.prompted)
    assert {"value", "low", "high", "requested", "generated", "scored", "flag", "fingerprint"} <= set(data)


def test_differences_are_bold_where_the_corrected_test_says_so(results: Results) -> None:
    def cell(p_holm: float) -> tuple[str, bool]:
        results.comparisons["differences"].loc[0, "p_holm"] = p_holm
        (row,) = metric_tables.differences(results).rows
        assert row[0].text == "richspace − cogvideox"
        return row[1].text, row[1].bold

    assert cell(0.049) == ("−12.5 (−20 to −1)", True)
    assert cell(0.051) == ("−12.5 (−20 to −1)", False)
    assert not cell(float("nan"))[1]
    assert "p < 0.05, corrected by Holm for all metrics of two methods" in metric_tables.differences(results).remarks[0]


def test_fvd_by_clips_has_the_range_over_draws(results: Results) -> None:
    table = texts(metric_tables.fvd_by_clips(results, results.mixed, "mixtures"))
    assert table.loc["richspace"].tolist() == [METRICS["fvd"].cell(50.5, 50, 51), METRICS["fvd"].cell(25.5, 25, 26)]


def test_what_varies_over_seeds_leaves_out_single_seeds(results: Results) -> None:
    table = results.comparisons["over_seeds"]
    table.loc[table.method == "cogvideox", "seeds"] = 1
    shown = texts(metric_tables.over_seeds(results, results.mixed, "mixtures"))
    assert set(shown.index) == set(results.mixed.method) - {"cogvideox"}
    assert shown.loc["richspace"].tolist() == ["9.0 ± 1.0 (best of 2: 8.3)", "0.50 ± 0.25", "40", "2"]


def test_fingerprints_lead_to_their_choices(results: Results) -> None:
    table = metric_tables.fingerprints(results)
    links = {cell.link for row in table.rows for cell in row} - {""}
    assert links == {f"p-{mark}" for mark in results.metrics.fingerprint}
