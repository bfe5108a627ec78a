from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.report.etc import attention
from pipeline.report.results import Results
from tests.pipeline.report.reading import Reader, words


def maps_of(rows: list[list[float]], steps: tuple[int, ...] = (1, 3)) -> pd.DataFrame:
    """The same map, from frame by row, in two heads at every step."""
    return pd.DataFrame(
        [
            {"training": "m", "step": step, "timestep": 9, "head": head, "from_frame": i, "to_frame": j, "share": share}
            for step in steps
            for head in (1, 2)
            for i, row in enumerate(rows, 1)
            for j, share in enumerate(row, 1)
        ]
    )


# Of 2 x 2 frames, 1 above 2, and 3 right of 1: own 0.4, next in time 0.3 or 0.2, beside in the grid 0.2, others 0.1.
KNOWN = [[0.4, 0.3, 0.2, 0.1], [0.2, 0.4, 0.2, 0.2], [0.2, 0.2, 0.4, 0.2], [0.1, 0.2, 0.3, 0.4]]


def test_a_diagonal_is_the_own_frame() -> None:
    said = attention.described(maps_of([[float(i == j) for j in range(4)] for i in range(4)]))
    assert "100.00\u00a0% stays in the own frame, 0.00\u00a0% goes to the frames next in time" in said[0]
    assert "Spread evenly over the 4 frames it would be 25.00\u00a0%, 37.50\u00a0% and 37.50\u00a0%." in said[0]
    assert "In 4 of 4 maps it has more than half." in said[1]
    assert "is 25.00\u00a0%:" in said[2] and "makes 0.00\u00a0% of the variance" in said[2]


def test_a_column_is_a_frame_that_receives() -> None:
    said = attention.described(maps_of([[0.1, 0.7, 0.1, 0.1]] * 4))
    assert "70.00\u00a0%: frame 2 in head 1 at step 1" in said[2]
    assert "makes 100.00\u00a0% of the variance" in said[2]


def test_even_attention_has_no_stripes() -> None:
    said = attention.described(maps_of([[0.25] * 4] * 4))
    assert "In 0 of 4 maps it has more than half." in said[1]
    assert "makes 0.00\u00a0% of the variance" in said[2]


def test_the_shares_are_those_of_the_map() -> None:
    """Summed by hand: 1.6 of 4 on the diagonal, 1.4 beside it, 1.0 further away."""
    said = attention.described(maps_of(KNOWN))
    assert "40.00\u00a0% stays in the own frame, 35.00\u00a0% goes to the frames next in time" in said[0]
    assert ", 25.00\u00a0% to the others" in said[0]
    assert "in single maps 40.00\u00a0% to 40.00\u00a0%" in said[1]


def test_neighbours_in_time_and_in_the_grid_are_told_apart(results: Results) -> None:
    (table,) = attention.section(replace(results, attention_maps=maps_of(KNOWN)), {}).tables
    assert [cell.text for cell in table.rows[0]] == ["an even spread", "", *["25.00"] * 4]
    # |i − j| = 1: 0.3 0.2 0.2 0.2 0.2 0.3; = 2: 0.2 0.2 0.2 0.2; = 3: 0.1 0.1
    assert [cell.text for cell in table.rows[1]] == ["m", "1", "40.00", "23.33", "20.00", "10.00"]
    assert [row[1].text for row in table.rows] == ["", "1", "3"]
    assert len(table.data) == 2 * len(attention.KINDS)


def test_every_model_has_a_picture_of_one_scale(results: Results, report: Path) -> None:
    content = attention.section(results, {})
    assert list(content.plots) == ["attention_etc", "attention_etc_plain"]
    page = words(Reader(report / "paper_etc.html"))
    assert "6.25\u00a0% stays in the own frame" in page.replace(" %", "\u00a0%")
    assert "Frame_j is meant" in page


@pytest.mark.parametrize("maps", [None, pd.DataFrame()])
def test_the_page_says_that_nothing_was_recorded(results: Results, maps: pd.DataFrame | None) -> None:
    content = attention.section(replace(results, attention_maps=maps), {})
    assert (content.missing, content.plots) == (["Figure 11 needs the stage attention_maps (etc.attention)."], {})
