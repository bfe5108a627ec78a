"""Published figures, and whether this run reproduces them."""

from pipeline.report import published
from pipeline.report.page import Content, Page
from pipeline.report.results import Results


def build(results: Results) -> Content:
    """Every published figure, below it that of the clips which this run has too and this run's value; the differences
    of published methods; what stands behind them."""
    tables = [*published.tables(results), *published.differences(results)]
    missing = [] if tables else ["No figures are published."]
    about = published.background(results)
    return Content({"published": about}, [*tables, *([published.behind(results)] if tables else [])], missing=missing)


PAGE = Page(
    "published",
    "Reproduced",
    "Published figures and differences of methods, and whether this run reproduces them.",
    build,
)
