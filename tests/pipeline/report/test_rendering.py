"""Every format says the same, and no text can break it."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report import rendering
from pipeline.report.site import environment
from pipeline.report.table import Cell, Column, Table, row
from tests.pipeline.report.reading import Reader

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
SPECIAL = '&%$#_{}~^\\|<>"`*†–−…α'


def table_of(text: str, note: str = "", bold: bool = False) -> Table:
    cell = Cell(text, bold, note)
    data = pd.DataFrame({"name": ["a_b"], "value": [1.5], "low": [np.nan]})
    columns = [Column("Method", numeric=False), Column(text, "%")]
    return Table("t", text, columns, [row("a_b", cell)], data, ["A remark."])


def balanced(latex: str) -> bool:
    """Whether unescaped braces, dollars and environments are closed, and no sign is left that LaTeX would act on."""
    bare = re.sub(r"\\[\\&%$#_{}]", "", re.sub(r"(?m)^%.*$|%$", "", latex))
    depth = 0
    for sign in bare:
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            return False
    begun, ended = (re.findall(rf"\\{word}{{(\w+)}}", bare) for word in ("begin", "end"))
    maths = re.sub(r"\$[^$]*\$", "", bare)
    return depth == 0 and sorted(begun) == sorted(ended) and not re.search(r"[$#_~^%]", maths.replace("tab:t", ""))


@given(TEXTS | st.text(SPECIAL, min_size=1, max_size=12), TEXTS, st.booleans())
def test_latex_is_escaped_and_balanced(text: str, note: str, bold: bool) -> None:
    latex = rendering.latex(table_of(text, note, bold))
    assert balanced(latex), latex
    body = latex.split(r"\midrule")[1].split(r"\bottomrule")[0]
    assert re.sub(r"\\&", "", body).count("&") == 1
    assert body.strip().endswith(r"\\")


def test_what_is_unbalanced_is_found() -> None:
    assert balanced(r"\textbf{a\_b} $x_1$")
    assert not any(map(balanced, (r"\textbf{a", "a}{", "a_b", "50 % more", r"\begin{table}", "$x")))


def test_latex_has_booktabs_bold_and_footnotes() -> None:
    latex = rendering.latex(table_of("227.7 (141–334)", "n = 2 < 400", bold=True))
    assert r"a\_b & \textbf{227.7 (141--334)}\textsuperscript{$\dagger$} \\" in latex
    assert r"$\dagger$ n = 2 \textless{} 400\par" in latex
    assert all(rf"\{rule}" in latex for rule in ("toprule", "midrule", "bottomrule", "caption", "label"))


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no LaTeX")
def test_latex_compiles(tmp_path: Path) -> None:
    body = rendering.latex(table_of(SPECIAL, SPECIAL, bold=True))
    packages = r"\usepackage[utf8]{inputenc}\usepackage{booktabs,graphicx}"
    (tmp_path / "t.tex").write_text(rf"\documentclass{{article}}{packages}\begin{{document}}{body}\end{{document}}")
    subprocess.run(["pdflatex", "-halt-on-error", "t.tex"], cwd=tmp_path, check=True)


@given(TEXTS | st.text(SPECIAL, min_size=1, max_size=12))
def test_markdown_keeps_its_columns(text: str) -> None:
    lines = [line for line in rendering.markdown(table_of(text)).split("\n") if line.startswith("|")]
    assert len(lines) == 3
    assert {len(re.findall(r"(?<!\\)\|", re.sub(r"\\\\", "", line))) for line in lines} == {3}


def test_markdown_has_bold_and_footnotes() -> None:
    text = rendering.markdown(table_of("227.7 (141–334)", "n = 2 < 400", bold=True))
    assert "| **227.7 (141–334)** † |" in text
    assert "\n† n = 2 \\< 400\n" in text
    assert text.endswith("A remark.\n")


@given(TEXTS | st.text(SPECIAL, min_size=1, max_size=12), st.booleans())
def test_html_shows_the_texts_themselves(tmp_path_factory: pytest.TempPathFactory, text: str, bold: bool) -> None:
    path = tmp_path_factory.getbasetemp() / "table.html"
    path.write_text(rendering.html(table_of(text, "a note", bold), environment()), encoding="utf-8")
    page = Reader(path)
    assert page.unclosed == []
    assert page.tables["table-t"] == [["Method", f"{text} (%)"], ["a_b", f"{text}†"]]
    assert page.bold == ([text] if bold else [])


def test_the_files_are_the_table_and_its_long_frame(tmp_path: Path) -> None:
    table = table_of("1.5")
    rendering.write(table, tmp_path)
    assert {path.suffix[1:] for path in tmp_path.iterdir()} == set(rendering.FORMATS)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "t.csv"), table.data)
    assert (tmp_path / "t.md").read_text() == rendering.markdown(table)
    assert (tmp_path / "t.tex").read_text() == rendering.latex(table)
