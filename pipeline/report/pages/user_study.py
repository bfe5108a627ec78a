"""User studies: what raters preferred, how sure that is, and the papers' own tables by the same analysis."""

from collections.abc import Callable, Iterator
from typing import Any

from pipeline.report import plots
from pipeline.report.page import Content, Page
from pipeline.report.pages import paper_etc, paper_harivo
from pipeline.report.printed import published
from pipeline.report.results import Results
from pipeline.report.table import Table
from pipeline.report.user_study import choices, judged, printed, trust
from pipeline.report.user_study.studies import NO_STAGE, NOBODY, Studies

_TRUST: dict[str, tuple[Callable[[Results, Studies], Table], str]] = {  # and the stage's table that each is made of
    "studies": (trust.studies_table, "studies"),
    "strengths": (trust.strengths, "strengths"),
    "reliability": (trust.reliability, "reliability"),
    "agreement": (trust.agreement, "agreement"),
    "plan": (trust.plan, "planning"),
    "planning": (trust.planning, "planning"),
}


def build(results: Results) -> Content:
    """Every table of the stage that has rows, a plot of each study that compares, and ETC's Table 4."""
    etc, harivo = published(paper_etc.__file__), published(paper_harivo.__file__)
    theirs = printed.table_4(etc)
    context: dict[str, Any] = {"simulated": NOBODY, "groups": {}, "studies": results.studies}
    if results.studies is None:
        return Content(context, [theirs], missing=[NO_STAGE])
    studies = results.studies
    groups = {
        "Which method is best?": choices.best_of(results, studies),
        "A or B?": choices.pairs(results, studies, harivo["table_3"]),
        "What do clips show?": judged.attributes(results, studies, harivo["table_a2"]),
        "Is the mixture shown?": judged.mixtures(results, studies),
        "How good are clips?": judged.ratings(results, studies),
        "How strong is each method?": _one(results, studies, "strengths"),
        "Do raters agree?": _one(results, studies, "reliability"),
        "Which metrics agree with raters?": _one(results, studies, "agreement"),
        "How many votes does it take?": [*_one(results, studies, "plan"), *_one(results, studies, "planning")],
    }
    tables = [*_one(results, studies, "studies"), *(table for group in groups.values() for table in group), theirs]
    context["groups"] = {title: [table.name for table in group] for title, group in groups.items() if group}
    return Content(context, tables, dict(_figures(studies)), missing=studies.missing)


def _one(results: Results, studies: Studies, name: str) -> list[Table]:
    """The table that is made of one of the stage's, if that has rows."""
    made, of = _TRUST[name]
    return [made(results, studies)] if len(studies.table(of)) else []


def _figures(studies: Studies) -> Iterator[tuple[str, str]]:
    """By the name of the table that each stands above."""
    for study, own in studies.by_study("shares"):
        everybody = own[own.group == "overall"].assign(metric="share", method=own.method.map(choices.label))
        title = f"{studies.mark}share of votes"
        yield f"user_study_shares_{study}".replace("-", "_"), plots.rates(everybody, "share", title)
    for study, own in studies.by_study("preferences"):
        labels = [f"{one.question}: {one.candidate}, {one.opponent}" for one in own.itertuples()]
        title = f"{studies.mark}share of votes for the first"
        figure = plots.rates(own.assign(metric="share", method=labels), "share", title, even=0.5)
        yield f"user_study_preferences_{study}".replace("-", "_"), figure


PAGE = Page("user_study", "User study", "What raters preferred, how sure that is, and how many votes it takes.", build)
