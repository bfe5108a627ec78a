"""The table of Theorem A.6."""

from dataclasses import replace

import pandas as pd
import pytest

from pipeline.report import bounds
from pipeline.report.results import Results

ROW = {
    "encoder": "minilm",
    "vocabulary": 30_522,
    "width": 384,
    "length": 20,
    "log_sentences": 206.52,
    "minimum_distance": 0.2228,
    "word_a": "one",
    "word_b": "two",
    "method": "own",
    "prompts": 64,
    "steps": 30,
    "dimension": 49_152,
    "largest": 74.376,
    "smallest": 21.481,
    "lipschitz": 31.5,
    "typical": 45.62,
    "nearest": 20.58,
    "covering": 74.065,
    "interpolated": 73.749,
    "separation": 0.0035,
}


def test_each_quantity_has_its_value(results: Results) -> None:
    (table,) = bounds.tables(replace(results, bounds=pd.DataFrame([ROW])))
    shown = {cells[0].text: cells[1].text for cells in table.rows}
    assert shown["M and m, largest and smallest norm of a clip"] == "74.38, 21.48"
    assert shown["ε of Theorem A.4 (4.1): any model"] == "74.06"
    assert shown["the same with 30 interpolations of every pair of sentences"] == "73.75"
    assert shown["δ_min, smallest distance of two words"] == "0.2228 (one, two)"
    assert "64 prompts of own" in table.remarks[0]


@pytest.mark.parametrize("missing", [None, pd.DataFrame(columns=list(ROW))])
def test_what_was_not_measured_has_no_table(results: Results, missing: pd.DataFrame | None) -> None:
    assert bounds.tables(replace(results, bounds=missing)) == []
