"""Published figures, and whether this run reproduces them."""

from pipeline.report import metric_tables, plots, published
from pipeline.report.page import Content, Page
from pipeline.report.results import Results
from pipeline.report.table import Table


def build(results: Results) -> Content:
    """Every published figure, below it that of the clips which this run has too and this run's value; the differences
    of published methods; FVD by clips; what stands behind them."""
    tables = [*published.tables(results), *published.differences(results)]
    missing = [] if tables else ["No figures are published."]
    by_clips = _fvd_by_clips(results.full_size) if results.full_size else {}
    tables += [*(table for _, table in by_clips.values()), *([published.behind(results)] if tables else [])]
    figures = {f"fvd-{name}": figure for name, (figure, _) in by_clips.items()}
    return Content({"published": published.background(results)}, tables, figures, missing=missing)


def _fvd_by_clips(whole: Results) -> dict[str, tuple[str, Table]]:
    """Of published clips, which are more than a small run's: a plot and a table for each group of methods."""
    groups = {"published_mixtures": whole.mixed, "published_prompts": whole.prompted}
    return {
        name: (
            plots.fvd_by_clips(whole.of("fvd_by_clips", methods)),
            metric_tables.fvd_by_clips(whole, methods, name),
        )
        for name, methods in groups.items()
        if metric_tables.has_fvd_by_clips(whole, methods)
    }


PAGE = Page(
    "published",
    "Reproduced",
    "Published figures and differences of methods, and whether this run reproduces them.",
    build,
)
