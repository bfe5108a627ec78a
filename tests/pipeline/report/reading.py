"""A page as a reader's browser sees it: parsed, not searched."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

_VOID = {"meta", "link", "img", "br", "wbr", "hr", "input"}


class Reader(HTMLParser):
    """What a page holds.

    references: href and src. images: their attributes. headings and bold: texts. tables: by id, rows of texts. places:
    names of the plots that are shown. tooltips: titles of elements. text: all that is visible. unclosed: tags without
    a partner.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: list[str] = []
        self.references: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.headings: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.bold: list[str] = []
        self.places: list[str] = []
        self.tooltips: list[str] = []
        self.unclosed: list[str] = []
        self.text = ""
        self.data = ""
        self._open: list[str] = []
        self._rows: list[list[str]] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.unclosed += self._open

    @property
    def plots(self) -> dict[str, Any]:
        """The plots that the page carries."""
        return json.loads(self.data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"]] if found.get("id") is not None else []
        self.references += [found[name] for name in ("href", "src") if found.get(name)]
        self.places += [found["data-plot"]] if "data-plot" in found else []
        self.tooltips += [found["title"]] if found.get("title") else []
        if tag == "img":
            self.images.append(found)
        if tag == "table":
            self._rows = self.tables.setdefault(found.get("id") or f"table {len(self.tables)}", [])
        if tag == "tr":
            self._rows.append([])
        if tag in ("th", "td"):
            self._rows[-1].append("")
        if tag in ("h1", "h2", "h3"):
            self.headings.append("")
        if tag == "b":
            self.bold.append("")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.text += "" if tag in ("b", "a", "code", "sup") else " "
        if not self._open or self._open.pop() != tag:
            self.unclosed.append(tag)

    def handle_data(self, data: str) -> None:
        if "script" in self._open:
            self.data += data
            return
        self.text += data
        if "td" in self._open or "th" in self._open:
            self._rows[-1][-1] += data
        if self._open and self._open[-1] in ("h1", "h2", "h3"):
            self.headings[-1] += data
        if "b" in self._open:
            self.bold[-1] += data


def words(page: Reader) -> str:
    """Its text with single blanks."""
    return " ".join(page.text.split())
