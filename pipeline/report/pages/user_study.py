"""User studies: what raters preferred, how sure that is, and the papers' own tables by the same analysis."""

from collections.abc import Iterator
from typing import Any

from pipeline.report import plots
from pipeline.report.page import Content, Page
from pipeline.report.pages import paper_etc, paper_harivo
from pipeline.report.printed import published
from pipeline.report.results import Results
from pipeline.report.user_study import choices, printed
from pipeline.report.user_study.sections import sections
from pipeline.report.user_study.studies import NO_STAGE, NOBODY, Studies


def build(results: Results) -> Content:
    """Every table of the stage that has rows, a plot of each study that compares, and ETC's Table 4."""
    theirs = printed.table_4(published(paper_etc.__file__))
    context: dict[str, Any] = {"simulated": NOBODY, "sections": {}, "studies": results.studies}
    if results.studies is None:
        return Content(context, [theirs], missing=[NO_STAGE])
    found = sections(results.studies, results, published(paper_harivo.__file__))
    context["sections"] = {title: [table.name for table in tables] for title, tables in found.items()}
    tables = [table for own in found.values() for table in own]
    missing = [*results.studies.missing, *results.studies.unanswered]
    return Content(context, [*tables, theirs], dict(_figures(results.studies)), missing=missing)


def _figures(studies: Studies) -> Iterator[tuple[str, str]]:
    """By the name of the table that each stands above."""
    for study, own in studies.by_study("shares"):
        everybody = own[own.group == "overall"].assign(metric="share", method=own.method.map(choices.label))
        figure = plots.rates(everybody, "share", f"{studies.mark}share of votes")
        yield f"user_study_shares_{study}".replace("-", "_"), figure
    for study, own in studies.by_study("preferences"):
        labels = [f"{one.question}: {one.candidate}, {one.opponent}" for one in own.itertuples()]
        title = f"{studies.mark}share of votes for the first"
        figure = plots.rates(own.assign(metric="share", method=labels), "share", title, even=0.5)
        yield f"user_study_preferences_{study}".replace("-", "_"), figure


PAGE = Page("user_study", "User study", "What raters preferred, how sure that is, and how many votes it takes.", build)
