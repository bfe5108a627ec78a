"""Published figures, and whether this run reproduces them."""

from pipeline.report import fvd_curves, published
from pipeline.report.page import Content, Page
from pipeline.report.results import Results


def build(results: Results) -> Content:
    """Every published figure, below it that of the clips which this run has too and this run's value; the differences
    of published methods; FVD by clips; what stands behind them."""
    tables = [*published.tables(results), *published.differences(results)]
    missing = [] if tables else ["No figures are published."]
    # of published clips, which are more than a small run's
    whole = results.full_size
    groups = {"published_mixtures": whole.mixed, "published_prompts": whole.prompted} if whole else {}
    figures, by_clips = fvd_curves.curves(whole or results, groups)
    tables += [*by_clips, *([published.behind(results)] if tables else [])]
    return Content({"published": published.background(results)}, tables, figures, missing=missing)


PAGE = Page(
    "published",
    "Reproduced",
    "Published figures and differences of methods, and whether this run reproduces them.",
    build,
)
