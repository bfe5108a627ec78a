"""Published figures, and whether this run reproduces them."""

from pipeline.report import published
from pipeline.report.page import Content, Page
from pipeline.report.results import Results


def build(results: Results) -> Content:
    """Every published figure with this run's value below it, what stands behind the figures, and published differences
    of methods."""
    tables = [*published.tables(results), *published.differences(results)]
    missing = [] if tables else ["No figures are published."]
    about = published.background(results)
    return Content({"published": about}, [*tables, *([published.behind(results)] if tables else [])], missing=missing)


PAGE = Page("published", "Reproduced", "Every published figure, and this run's value beside it.", build)
