from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.config import params, paths
from pipeline.etc.cost import SETTINGS
from pipeline.report.pages import paper_etc
from pipeline.report.pages.paper_etc import build
from pipeline.report.printed import published
from pipeline.report.results import Results
from tests.pipeline.report.reading import Reader, words


def test_variants_stand_beside_the_papers_by_its_text(report: Path) -> None:
    """Not by the marks of its table: the mixed embedding brings Err. to 0."""
    _, *rows = Reader(report / "paper_etc.html").tables["table-etc_table2"]
    found = {row[0]: (row[1], row[2], row[-3], row[-2], row[-1]) for row in rows}
    assert found == {
        "etc_plain": ("", "", "462", "27.84", "17.4"),
        "etc_mixed": ("✓", "", "377", "28.55", "0.0"),
        "etc_triple": ("", "✓", "396", "30.27", "17.8"),
        "etc": ("✓", "✓", "326", "31.01", "0.0"),
    }


def test_clipsim_is_in_the_papers_unit(report: Path) -> None:
    """The fixture's value of every metric is 0.5, between 0.25 and 0.75."""
    header, *rows = Reader(report / "paper_etc.html").tables["table-etc_table2"]
    (column,) = (i for i, title in enumerate(header) if "CLIPSIM" in title)
    assert "(×100)" in header[column]
    assert {row[column] for row in rows} == {"50.0 (25.0–75.0)"}


def test_the_long_table_has_the_papers_values(report: Path) -> None:
    table = pd.read_csv(report / "tables/etc_table2.csv").set_index(["method", "metric"])
    assert table.paper["etc_triple", "cut_wrongly"] == pytest.approx(0.178)  # the unit of `value`
    assert table.paper["etc", "fvd"] == 326
    assert table.value["etc", "cut_wrongly"] == 0.5
    assert pd.isna(table.paper["etc", "content"])


def test_the_autoencoders_stand_beside_the_papers(report: Path) -> None:
    """Those that were measured; the change is clip by clip, so it is sure where the clips themselves differ."""
    header, *rows = Reader(report / "paper_etc.html").tables["table-etc_table6"]
    assert header[:4] == ["Autoencoder", "L_recon", "L_KL", "SSIM"]
    found = {row[0]: (row[1], row[2], row[3].split(" ")[0], row[-2], row[-1]) for row in rows}
    assert found == {
        "before": ("", "", "0.800", "–", "0.897"),
        "after": ("✓", "✓", "0.900", "0.100 (0.100–0.100)", "0.914"),
    }
    table = pd.read_csv(report / "tables/etc_table6.csv").set_index(["training", "metric"])
    assert table.paper["autoencoder_grids", "ssim"] == 0.914
    assert pd.isna(table.paper["autoencoder_grids", "kl"])


def test_what_is_not_to_be_compared_is_said_first(run: Path, monkeypatch: pytest.MonkeyPatch, report: Path) -> None:
    monkeypatch.chdir(run)
    wanted = params.load()
    for remark in ("To be trained again.", None):
        etc = wanted.etc.model_copy(update={"remark": remark})
        content = build(Results.read(wanted.model_copy(update={"etc": etc})))
        assert ({table.name: table for table in content.tables}["etc_table2"].remarks[0] == remark) == (
            remark is not None
        )
        assert content.context["remark"] == remark


def test_what_was_not_measured_has_no_table(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run)
    wanted = params.load()
    trainings = {name: training for name, training in wanted.train.items() if name != "autoencoder"}
    none = wanted.model_copy(update={"etc": wanted.etc.model_copy(update={"points": {}}), "train": trainings})
    content = build(Results.read(none))
    assert "etc_table2" not in {table.name for table in content.tables}
    said = " ".join(content.missing)
    assert all(f"{what} need" in said for what in ("Table 2", "Table 6", "Figure 2b", "Figure 7 and the sweeps"))


def test_attention_stands_beside_the_papers_with_three_ratios(report: Path) -> None:
    """Ours of the fixture's times; the paper's 6.453 / 3.113; operations of its shapes."""
    header, base, best = Reader(report / "paper_etc.html").tables["table-etc_table3"]
    assert base == ["Base", "4", "16", "8.0", "3.0", "1.0", "2.00", "6.453", "2.166", "0.947", "2.07", "1.54"]
    assert best[0] == "High quality" and best[-2] == "5.00"
    assert (len(header), header[3], header[-1]) == (12, "Image (ms)", "Operations: image/video")
    text = words(Reader(report / "paper_etc.html"))
    assert "1 of 2 threads, torch 2.0" in text and "compare the ratios" in text
    assert "B = 4 takes least. With more sequences the number of operations keeps falling" in text


def test_papers_times_are_of_its_settings_and_add_up() -> None:
    """To the totals that it prints. The image takes twice as long in the first setting alone; temporal attention takes
    14.7 % of it, where the text has 5.4 %."""
    theirs = published(paper_etc.__file__)["table_3"]
    assert list(theirs) == list(SETTINGS)
    totals = {name: round(own["spatial"] + own["temporal"], 3) for name, own in theirs.items()}
    assert totals == {"base": 3.113, "long_video": 5.15, "high_res": 10.167, "high_quality": 19.823}
    assert [round(own["image"] / totals[name], 2) for name, own in theirs.items()] == [2.07, 4.8, 2.43, 5.0]
    assert theirs["base"]["temporal"] / theirs["base"]["image"] == pytest.approx(0.147, abs=1e-3)


def test_the_long_table_has_the_papers_seconds(report: Path) -> None:
    table = pd.read_csv(report / "tables/etc_table3.csv").set_index(["setting", "part"])
    assert table.paper_s_of_1000_calls["high_quality", "spatial"] == 18.252
    assert table.best_s["base", "image"] == 0.008


def test_without_times_the_section_is_missing(results: Results) -> None:
    for one in ("attention", "attention_sweep"):
        content = build(replace(results, **{one: None}))
        assert content.missing == ["Table 3 and Figure 10 need the stage attention."]
        assert "attention" not in content.plots
        assert content.context["attention"] is None
        assert "etc_table3" not in {table.name for table in content.tables}


def test_the_shipped_times_are_of_the_papers_shapes(root: Path) -> None:
    """Of one machine: here it is only held that more tokens in one sequence cost more, as their operations say."""
    table = pd.read_csv(root / paths.ATTENTION_TABLE)
    shapes = [(s.batch, s.tokens, s.channels) for setting in SETTINGS.values() for s in setting.parts.values()]
    assert list(zip(table.batch, table.tokens, table.channels, strict=True)) == shapes
    assert set(table.device) == {"cpu"} and set(table.threads) == {1}
    for _, own in table.groupby("setting"):
        times = own.set_index("part").best_s
        assert times["image"] > times["spatial"] > times["temporal"] > 0
    sweep = pd.read_csv(root / paths.ATTENTION_SWEEP)
    assert sweep.batch.tolist() == [2**i for i in range(15)]
    assert set(sweep.batch * sweep.tokens) == {2**14}
