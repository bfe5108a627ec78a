from pathlib import Path

import pandas as pd
import pytest

from pipeline.config import params
from pipeline.report.pages.paper_etc import build
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


def test_the_long_table_has_the_papers_values(report: Path) -> None:
    table = pd.read_csv(report / "tables/etc_table2.csv").set_index(["method", "metric"])
    assert table.paper["etc_triple", "cut_wrongly"] == 17.8
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
        assert (content.tables[0].remarks[0] == remark) == (remark is not None)
        assert content.context["remark"] == remark
    for page in ("paper_etc", "methods"):  # the method stands in the comparison too
        assert "to be trained again" in words(Reader(report / f"{page}.html"))


def test_what_was_not_measured_has_no_table(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run)
    wanted = params.load()
    trainings = {name: training for name, training in wanted.train.items() if name != "autoencoder"}
    none = wanted.model_copy(update={"etc": wanted.etc.model_copy(update={"points": {}}), "train": trainings})
    content = build(Results.read(none))
    assert content.tables == []
    assert content.missing == [
        "Table 2 needs points of ETC's (etc.points).",
        "Table 6 needs the model autoencoder, and what is trained from it.",
    ]
