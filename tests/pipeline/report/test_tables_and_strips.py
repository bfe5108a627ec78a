from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.prompts.sets import read_sets
from pipeline.report import plots, tables
from pipeline.report.strips import MAX_SIDE, write_picture


@pytest.fixture
def metrics() -> pd.DataFrame:
    counts = {"requested": 10, "generated": 9, "scored": 8}
    rows = [
        {"method": m, "metric": k, "value": v, "low": low, "high": high, **counts, "flag": flag, "fingerprint": "f"}
        for m in ("cogvideox", "richspace")
        for k, v, low, high, flag in (
            ("fvd", 12.5, np.nan, np.nan, "n = 8 < 400"),
            ("success_rate", 0.25, 0.1, 0.5, ""),
        )
    ]
    return pd.DataFrame(rows)


def test_the_comparison_keeps_counts_flags_and_intervals(metrics: pd.DataFrame) -> None:
    table = tables.comparison(metrics).set_index("method")
    row = table.loc["richspace"]
    assert (row.fvd, row.success_rate, row.success_rate_low, row.success_rate_high) == (12.5, 0.25, 0.1, 0.5)
    assert (row.requested, row.generated, row.scored) == (10, 9, 8)
    assert row["flags"] == "fvd: n = 8 < 400"
    assert "fvd_low" not in table


def test_steps_stand_beside_the_papers(root: Path) -> None:
    _, mixtures = read_sets(root / "prompts", ["richspace"])
    optima = pd.DataFrame(
        {"mixture": m.id, "k": k, "step": 15, "weight": 0.5, "continuous_weight": 0.49}
        for m in mixtures
        for k in (30, 50)
    )
    table = tables.richspace_steps(mixtures, optima, "minilm", 30)
    assert table.figure.tolist() == sorted(table.figure) and len(table) == 17
    tiger = table[table.mixture == "tiger-zebra"].iloc[0]
    assert (tiger.paper_step, tiger.minilm_step, tiger.difference, tiger.continuous_step) == (14, 15, 1, 14.7)
    assert tables.steps_by_k(optima).columns.tolist() == ["mixture", "k=30", "k=50", "k=inf"]


def test_mixtures_are_counted_per_method_and_kind(root: Path) -> None:
    prompts, mixtures = read_sets(root / "prompts", ["world"])
    optima = pd.DataFrame({"mixture": m.id, "k": 30, "step": 12, "weight": 0.4} for m in mixtures)
    verdicts = pd.DataFrame(
        {"mixture": m.id, "method": name, "seed": s, "success": s == 0}
        for m in mixtures
        for name in ("a", "b")
        for s in (0, 1)
    )
    table = tables.mixtures(mixtures, {p.id: p for p in prompts}, optima, verdicts, 30)
    assert set(table.a) == {"1/2"}
    kinds = tables.by_attribute(mixtures, verdicts).set_index("mixed")
    assert kinds.loc["colour", "a"] == "8/16"
    assert kinds.loc["shape + motion", "b"] == "1/2"


def test_tables_are_written_three_times(tmp_path: Path) -> None:
    table = pd.DataFrame({"name": ["a_b", "50 %"], "value": [1.5, np.nan]})
    tables.write(table, tmp_path, "t")
    assert pd.read_csv(tmp_path / "t.csv").equals(table)
    assert "| a_b" in (tmp_path / "t.md").read_text()
    latex = (tmp_path / "t.tex").read_text()
    assert r"a\_b" in latex and r"50 \%" in latex


def test_pictures_are_the_clip_itself(tmp_path: Path) -> None:
    clip = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3)).astype(np.uint8)
    write_picture(clip, tmp_path / "x.webp", 8)
    with Image.open(tmp_path / "x.webp") as picture:
        assert picture.n_frames == 5
        for i in range(5):
            picture.seek(i)
            assert np.array_equal(np.asarray(picture.convert("RGB")), clip[i])
        assert picture.info["duration"] == 125


def test_large_clips_are_scaled_down(tmp_path: Path) -> None:
    write_picture(np.zeros((2, 480, 720, 3), np.uint8), tmp_path / "x.webp", 8)
    with Image.open(tmp_path / "x.webp") as picture:
        assert picture.size == (MAX_SIDE, 240)


def test_curves_show_both_steps() -> None:
    curve = {name: np.linspace(0, 1, 30) for name in ("full", "truncated", "total")}
    text = plots.curve(curve, 12, 14)
    assert "ours 12" in text and "paper 14" in text
    assert "paper 1" not in plots.curve(curve, 12, None)
