"""A table for readers: one cell per value, footnotes, and bold where a test says so. `rendering` writes it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

NOTHING = "–"
_SIGNS = "†‡§¶‖#"


@dataclass(frozen=True)
class Column:
    """Header and unit; `numeric` columns are aligned to the right. note: a footnote that holds for every cell."""

    header: str
    unit: str = ""
    numeric: bool = True
    note: str = ""

    @property
    def title(self) -> str:
        """The header with its unit."""
        return f"{self.header} ({self.unit})" if self.unit else self.header


@dataclass(frozen=True)
class Cell:
    """One value as a reader sees it. note: text of its footnote. link: an anchor of the page, followed in HTML only."""

    text: str = NOTHING
    bold: bool = False
    note: str = ""
    link: str = ""


@dataclass(frozen=True)
class Table:
    """Columns, rows of cells, and what stands above and below.

    name: of its files. remarks: sentences below the table. data: the same and more, a row per value, for the CSV file.

    Raises:
        ValueError: if a row has more or fewer cells than there are columns.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    data: pd.DataFrame = field(repr=False, compare=False)
    remarks: Sequence[str] = ()

    def __post_init__(self) -> None:
        for i, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.name}, row {i}: {len(row)} cells, expected {len(self.columns)}")

    @property
    def marks(self) -> dict[str, str]:
        """The sign of every footnote, by its text, in the order in which a reader meets them."""
        notes = [column.note for column in self.columns] + [cell.note for row in self.rows for cell in row]
        texts = list(dict.fromkeys(filter(None, notes)))
        return {text: _SIGNS[i % len(_SIGNS)] * (i // len(_SIGNS) + 1) for i, text in enumerate(texts)}


def row(*cells: Cell | str) -> list[Cell]:
    """A row of cells; plain texts become cells."""
    return [cell if isinstance(cell, Cell) else Cell(cell) for cell in cells]


def with_shared_notes(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]]
) -> tuple[list[Column], list[list[Cell]]]:
    """The same table with a footnote at the header where all filled cells of a column carry the same one."""
    shared = [_shared_note([row[i] for row in rows]) or column.note for i, column in enumerate(columns)]
    headers = [
        Column(column.header, column.unit, column.numeric, note) for column, note in zip(columns, shared, strict=True)
    ]
    kept = [
        [
            Cell(cell.text, cell.bold, "" if note else cell.note, cell.link)
            for cell, note in zip(row, shared, strict=True)
        ]
        for row in rows
    ]
    return headers, kept


def _shared_note(cells: Sequence[Cell]) -> str:
    notes = {cell.note for cell in cells if cell.text != NOTHING}
    return notes.pop() if len(notes) == 1 else ""
