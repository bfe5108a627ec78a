"""ETC's sweeps, Figure 7 and Figure 6, from a run whose every metric is known."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.report.etc import points
from pipeline.report.results import Results
from pipeline.sweeps.etc_tables import read_larger
from tests.pipeline.report.reading import Reader


def test_rates_stand_beside_the_worlds_speed(report: Path) -> None:
    """0.75 px a frame at 8 frames a second is 6 px a second."""
    _, *rows = Reader(report / "paper_etc.html").tables["table-etc_rates"]
    assert [row[:2] for row in rows] == [["1", "6.00"], ["8", "0.75"], ["15", "0.40"], ["60", "0.10"]]


def test_shares_of_the_data_and_steps_are_in_order(report: Path) -> None:
    _, *rows = Reader(report / "paper_etc.html").tables["table-etc_figure7"]
    shares = [(row[0], row[2]) for row in rows]
    assert shares == [(f"{share} %", steps) for share in (1, 10, 30, 100) for steps in ("400", "1,000")]


def test_every_share_is_a_line_of_the_figure(results: Results) -> None:
    figure = json.loads(points.section(results, {}).plots["etc_data"])
    assert [(line["name"], line["x"]) for line in figure["data"]] == [
        ("1 %, 80 clips", [400, 1000]),
        ("10 %, 800 clips", [400, 1000]),
        ("30 %, 2,400 clips", [400, 1000]),
        ("100 %, 8,000 clips", [400, 1000]),
    ]


def test_the_filter_says_how_many_clips_it_keeps(report: Path) -> None:
    _, *rows = Reader(report / "paper_etc.html").tables["table-etc_filter_ratio"]
    assert [row[:2] for row in rows] == [["0.1", "240"], ["0.5", "1,200"], ["1", "2,400"]]


def test_larger_clips_are_measured_and_shown(report: Path, results: Results) -> None:
    _, *rows = Reader(report / "paper_etc.html").tables["table-etc_figure6"]
    assert rows[0] == ["25", "32", "15", "200", "5", "90", "80", "70", "20"]
    (card,) = points.section(results, {}).clips["etc_larger"]
    assert [shot.label for shot in card.shots] == ["25 frames, 32 px", "36 frames, 32 px", "16 frames, 48 px"]
    assert all((report / shot.picture).is_file() for shot in card.shots)


def test_the_long_table_has_what_was_swept(report: Path) -> None:
    table = pd.read_csv(report / "tables/etc_figure7.csv")
    assert {"method", "used", "steps", "metric", "value", "low", "high"} <= set(table)
    assert set(table[table.method == "used_800_400"].used) == {800}


@pytest.mark.parametrize("kind", ["short", "larger"])
def test_without_points_a_part_is_missing(results: Results, kind: str) -> None:
    own = results.params.etc
    none = {kind: getattr(own, kind).model_copy(update={"points": {}})}
    etc = own.model_copy(update=none)
    named = results.params.model_copy(update={"etc": etc})
    larger = read_larger(named)
    content = points.section(replace(results, params=named, etc_larger=larger), {})
    names = {table.name for table in content.tables}
    if kind == "short":
        assert names == {"etc_rates", "etc_figure6"}
        assert content.missing == ["Figure 7 and the sweeps need etc.points and etc.short."]
    else:
        assert names == {"etc_rates", "etc_figure7", "etc_filter_ratio"}
        assert content.clips == {"etc_larger": []}
