"""What a page of the report is: a title, a template, and what it shows of the results."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.report.results import Results
from pipeline.report.strips import Card
from pipeline.report.table import Table


@dataclass(frozen=True)
class Content:
    """What a page shows.

    context: further values for the template. tables: by name. plots: plotly figures as JSON by name. clips: cards
    by the name of their group. missing: what this run has not, a sentence each.
    """

    context: Mapping[str, Any] = field(default_factory=dict)
    tables: Sequence[Table] = ()
    plots: Mapping[str, str] = field(default_factory=dict)
    clips: Mapping[str, Sequence[Card]] = field(default_factory=dict)
    missing: Sequence[str] = ()


@dataclass(frozen=True)
class Page:
    """A page: <name>.html, made from templates/<name>.html.j2. summary: one line for the overview. of_run:
    whether its tables of methods are the run's own, which may be smaller than what is published."""

    name: str
    title: str
    summary: str
    build: Callable[[Results], Content]
    of_run: bool = False

    @property
    def file(self) -> str:
        """Name of its file in the report."""
        return f"{self.name}.html"

    @property
    def template(self) -> str:
        """Name of its template."""
        return f"{self.name}.html.j2"
