import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.table import NOTHING, Cell, Column, Table, row, with_shared_notes

NOTES = st.lists(st.sampled_from(["", *"abcdefghij"]), min_size=1, max_size=30)


def one_column(notes: list[str]) -> Table:
    cells = [row(Cell("1", note=note)) for note in notes]
    return Table("t", "caption", [Column("x")], cells, pd.DataFrame())


@given(NOTES)
def test_every_footnote_has_its_own_sign(notes: list[str]) -> None:
    marks = one_column(notes).marks
    assert set(marks) == set(notes) - {""}
    assert len(set(marks.values())) == len(marks)
    assert "" not in marks.values()


def test_signs_follow_the_reader() -> None:
    columns = [Column("x", note="header"), Column("y")]
    table = Table("t", "c", columns, [row("1", Cell("2", note="cell"))], pd.DataFrame())
    assert table.marks == {"header": "†", "cell": "‡"}
    assert one_column(list("abcdefgh")).marks["g"] == "††"


@given(NOTES, st.booleans())
def test_a_note_moves_to_the_header_if_all_filled_cells_carry_it(notes: list[str], with_gap: bool) -> None:
    rows = [*one_column(notes).rows, *([row(Cell(NOTHING))] if with_gap else [])]
    (column,), moved = with_shared_notes([Column("x")], rows)
    shared = len(set(notes)) == 1
    assert column.note == (notes[0] if shared else "")
    assert [cell.note for (cell,) in moved[: len(notes)]] == (["" for _ in notes] if shared else notes)


def test_a_row_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="table t, row 1: 2 cells, expected 1"):
        Table("t", "c", [Column("x")], [row("1"), row("1", "2")], pd.DataFrame())


def test_the_unit_stands_in_the_header() -> None:
    assert Column("FVD", "px").title == "FVD (px)"
    assert Column("FVD").title == "FVD"
