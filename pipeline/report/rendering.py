"""A table as Markdown, LaTeX and HTML, and its files."""

import re
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup, escape
from tabulate import tabulate

from metrics.digests import SHOWN, shortened
from pipeline.report.table import Cell, Column, Table

FORMATS = {"csv": "CSV", "md": "Markdown", "tex": "LaTeX"}
_MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\|*`<>"} | {"\n": " "})
_LATEX_TEXT = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    '"': "''",
    "§": r"\S{}",
    "¶": r"\P{}",
    "–": "--",
    "…": r"\dots{}",
    "\n": " ",
}
_LATEX_MATHS = {
    "−": "-",
    "·": r"\cdot",
    "×": r"\times",
    "±": r"\pm",
    "²": "^2",
    "∞": r"\infty",
    "≈": r"\approx",
    "≠": r"\ne",
    "≤": r"\le",
    "≥": r"\ge",
    "↑": r"\uparrow",
    "↓": r"\downarrow",
    "→": r"\to",
    "†": r"\dagger",
    "‡": r"\ddagger",
    "‖": r"\Vert",
    "α": r"\alpha",
    "λ": r"\lambda",
    "σ": r"\sigma",
    "ρ": r"\rho",
    "ε": r"\varepsilon",
}
_RAISED = r"\textsuperscript{{{}}}"
_LATEX = str.maketrans(_LATEX_TEXT | {sign: f"${maths}$" for sign, maths in _LATEX_MATHS.items()})


def write(table: Table, folder: Path) -> None:
    """Write <name>.csv (the long frame), <name>.md and <name>.tex."""
    folder.mkdir(parents=True, exist_ok=True)
    table.data.to_csv(folder / f"{table.name}.csv", index=False)
    (folder / f"{table.name}.md").write_text(markdown(table), encoding="utf-8")
    (folder / f"{table.name}.tex").write_text(latex(table), encoding="utf-8")


def markdown(table: Table) -> str:
    """A caption, a GitHub table, footnotes and remarks."""
    headers = [_marked(_md(column.title), column, table, " {}", _md) for column in table.columns]
    rows = [
        [_marked(_bold(_md(cell.text), cell, "**{}**"), cell, table, " {}", _md) for cell in row] for row in table.rows
    ]
    sides = ["right" if column.numeric else "left" for column in table.columns]
    body = tabulate(rows, headers, "github", colalign=sides if rows else None, disable_numparse=True)
    notes = [f"{mark} {_md(text)}" for text, mark in table.marks.items()]
    return "\n\n".join([_md(table.caption), body, *notes, *map(_md, table.remarks)]) + "\n"


def latex(table: Table) -> str:
    """A booktabs table, no wider than the line; needs \\usepackage{booktabs,graphicx}."""
    headers = [_marked(_tex(column.title), column, table, _RAISED, _tex) for column in table.columns]
    rows = [
        [_marked(_bold(_tex(c.text), c, r"\textbf{{{}}}"), c, table, _RAISED, _tex) for c in row] for row in table.rows
    ]
    first, *lines = [" & ".join(cells) + r" \\" for cells in (headers, *rows)]
    align = "".join("r" if column.numeric else "l" for column in table.columns)
    notes = [f"{_tex(mark)} {_tex(text)}" for text, mark in table.marks.items()] + [*map(_tex, table.remarks)]
    body = [r"\toprule", first, r"\midrule", *lines, r"\bottomrule"]
    return "\n".join(
        [
            r"% needs \usepackage{booktabs,graphicx}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_tex(table.caption)}}}",
            rf"\label{{tab:{table.name}}}",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{align}}}",
            *body,
            r"\end{tabular}}",
            *([r"\par\smallskip\footnotesize", *(rf"{note}\par" for note in notes)] if notes else []),
            r"\end{table}",
            "",
        ]
    )


def breakable(name: str) -> Markup:
    """A name that a browser may break after its underscores."""
    return Markup("_<wbr>").join(name.split("_"))


def abbreviated(text: str) -> Markup:
    """A text whose sha256 digests are shown by their first digits, with the whole digest as a tooltip."""
    pieces = re.split(r"\b([0-9a-f]{64})\b", str(text))
    shown = [Markup('<abbr title="{}">{}</abbr>').format(one, one[:SHOWN]) for one in pieces[1::2]]
    plain = [escape(one) for one in pieces[::2]]
    return Markup("").join(part for pair in zip(plain, [*shown, ""], strict=True) for part in pair)


def html(table: Table, environment: Environment) -> Markup:
    """A table that scrolls in its own box, footnotes, remarks, and links to its files."""
    return Markup(environment.get_template("table.html.j2").render(table=table, formats=FORMATS))


def _md(text: str) -> str:
    return shortened(text).translate(_MARKDOWN)


def _tex(text: str) -> str:
    return shortened(text).translate(_LATEX)


def _bold(text: str, cell: Cell, form: str) -> str:
    return form.format(text) if cell.bold else text


def _marked(text: str, noted: Cell | Column, table: Table, form: str, escape: Callable[[str], str]) -> str:
    return text + form.format(escape(table.marks[noted.note])) if noted.note else text
