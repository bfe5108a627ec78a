"""Writes reports/: the pages with their navigation, the tables as files, pictures of clips, and the plots' script."""

import re
import shutil
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline.report import formatting, plots, rendering
from pipeline.report.page import Content, Page
from pipeline.report.pages import PAGES
from pipeline.report.results import Results
from pipeline.report.strips import write_pictures


def write_report(results: Results, folder: Path) -> Path:
    """Write the whole report into `folder`, replacing what is there; returns the overview's path."""
    if folder.exists():
        shutil.rmtree(folder)
    _write_assets(folder / "assets")
    templates = environment()
    for page in PAGES:
        content = page.build(results)
        for table in content.tables:
            rendering.write(table, folder / "tables")
        for cards in content.clips.values():
            write_pictures(cards, folder)
        text = _render(page, content, results, templates)
        (folder / page.file).write_text(text, encoding="utf-8")
    return folder / PAGES[0].file


def _write_assets(folder: Path) -> None:
    folder.mkdir(parents=True)
    for asset in resources.files("pipeline.report").joinpath("assets").iterdir():
        (folder / asset.name).write_bytes(asset.read_bytes())
    shutil.copyfile(plots.script(), folder / "plotly.min.js")


def environment() -> Environment:
    """What renders templates: escapes texts, and refuses names that are not there."""
    templates = Environment(
        loader=PackageLoader("pipeline.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    templates.filters |= {
        "p_value": formatting.p_value,
        "of_clusters": formatting.of_clusters,
        "points": formatting.points,
        "breakable": rendering.breakable,
        "abbreviated": rendering.abbreviated,
    }
    return templates


def _render(page: Page, content: Content, results: Results, templates: Environment) -> str:
    """The page's template, then the frame around it, which lists the headings that the template made."""
    headings = Headings()
    context: dict[str, Any] = {
        "site": results.params.report.title,
        "published_elsewhere": results.full_size is not None,
        "page": page,
        "pages": PAGES,
        "tables": {table.name: rendering.html(table, templates) for table in content.tables},
        "plots": content.plots,
        "clips": content.clips,
        "missing": content.missing,
        "heading": headings.add,
        **content.context,
    }
    body = Markup(templates.get_template(page.template).render(context))
    return templates.get_template("layout.html.j2").render(context | {"body": body, "contents": headings.titles})


class Headings:
    """The headings of a page: each has an id and a link to itself, and stands in the list of contents."""

    def __init__(self) -> None:
        self.titles: dict[str, str] = {}  # by id

    def add(self, title: str, level: int = 2) -> Markup:
        """A heading, as HTML.

        Raises:
            ValueError: if it has no letter, or the page has one of the same words.
        """
        name = re.sub(r"\W+", "-", title.lower()).strip("-")
        if not name or name in self.titles:
            raise ValueError(f"heading {title!r} is empty or there twice, expected different words on one page")
        self.titles[name] = title
        anchor = Markup('<a class="anchor" href="#{}" aria-label="Link to {}">#</a>').format(name, title)
        return Markup('<h{0} id="{1}">{2} {3}</h{0}>').format(level, name, title, anchor)
