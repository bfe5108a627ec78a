"""↑F and SR_h alone, from tables as their stage writes them."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.report.make_a_video import alone
from pipeline.report.results import Results
from tests.pipeline.report.reading import Reader

MISSING = [
    f"{what}, by numbers, needs the stage cascade_parts."
    for what in ("Interpolation", "Extrapolation", "The noise of SR_h")
]


def test_interpolation_stands_beside_blending(report: Path) -> None:
    """Of the fixture: 30 and 25 dB, 0.9 and 0.8, less as many percent as the factor."""
    header, *rows = Reader(report / "paper_make_a_video.html").tables["table-make_a_video_interpolation"]
    assert header == ["Factor", "Frames a second", "↑F: PSNR ↑ (dB)", "linear blending: PSNR ↑ (dB)", "↑F: SSIM ↑",
                      "linear blending: SSIM ↑", "Clips"]  # fmt: skip
    assert [row[:2] for row in rows] == [["2", "4"], ["2", "8"], ["4", "4"], ["4", "8"]]
    values = ["29.40 (29.30–29.50)", "24.50 (24.40–24.60)", "0.8820 (0.7820–0.9820)", "0.7840 (0.6840–0.8840)"]
    assert rows[0][2:] == [*values, "100"]
    assert [cell.split(" ")[0] for cell in rows[-1][2:6]] == ["28.80", "24.00", "0.8640", "0.7680"]


def test_extrapolation_stands_beside_the_nearest_frame(report: Path) -> None:
    """Of the fixture: 24 and 20 dB, 0.7 and 0.6, and a hundredth of the frames a second."""
    header, *rows = Reader(report / "paper_make_a_video.html").tables["table-make_a_video_extrapolation"]
    assert header[:4] == [
        "Frames on each side",
        "Frames a second",
        "↑F: PSNR ↑ (dB)",
        "nearest known frame: PSNR ↑ (dB)",
    ]
    assert [row[:2] for row in rows] == [["4", "4"], ["4", "8"]]
    assert rows[1][2:4] == ["24.08 (23.98–24.18)", "20.08 (19.98–20.18)"]


def test_a_noise_for_all_frames_stands_beside_one_for_each(report: Path) -> None:
    header, *rows = Reader(report / "paper_make_a_video.html").tables["table-make_a_video_noise"]
    assert header == ["Frames enlarged by", "PSNR ↑ (dB)", "SSIM ↑", "Flicker ↓ (255ths)", "Clips"]
    names = ["one noise for all frames", "a noise for each frame", "bicubic"]
    assert [row[0] for row in rows] == names
    assert rows[0][1:] == ["33.00 (32.99–33.01)", "0.7500 (0.7400–0.7600)", "1.50 (1.49–1.51)", "100"]
    assert [row[3] for row in rows] == ["1.50 (1.49–1.51)", "2.50 (2.49–2.51)", "2.00 (1.99–2.01)"]


def test_the_long_tables_are_what_was_measured(report: Path, results: Results) -> None:
    for name, table in (
        (alone.INTERPOLATION, results.interpolation),
        (alone.EXTRAPOLATION, results.extrapolation),
        (alone.CONSISTENCY, results.consistency),
    ):
        assert table is not None
        pd.testing.assert_frame_equal(pd.read_csv(report / f"tables/{name}.csv"), table)


def test_nothing_is_bold(results: Results) -> None:
    """The intervals are not of differences."""
    assert not any(cell.bold for table in alone.section(results).tables for row in table.rows for cell in row)


def test_what_was_not_measured_has_a_dash(results: Results) -> None:
    table = results.interpolation
    assert table is not None
    kept = table[(table.way != "↑F") | (table.factor != 4)]
    first, *_ = alone.section(replace(results, interpolation=kept)).tables
    assert [row[2].text == "–" for row in first.rows] == [False, False, True, True]


@pytest.mark.parametrize("empty", [True, False])
def test_without_the_stage_all_are_missing(results: Results, empty: bool) -> None:
    tables = {name: getattr(results, name) for name in ("interpolation", "extrapolation", "consistency")}
    assert all(table is not None for table in tables.values())
    none = {name: table.iloc[:0] if empty and table is not None else None for name, table in tables.items()}
    content = alone.section(replace(results, **none))
    assert (content.tables, content.missing) == ([], MISSING)
    one = alone.section(replace(results, interpolation=None))
    assert [table.name for table in one.tables] == [alone.EXTRAPOLATION, alone.CONSISTENCY]
    assert one.missing == MISSING[:1]
