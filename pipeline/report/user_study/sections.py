"""Every table of votes, by the question that it answers."""

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.report.results import Results
from pipeline.report.table import Table
from pipeline.report.user_study import choices, judged, trust
from pipeline.report.user_study.studies import Studies

_OF_ALL: dict[str, tuple[Callable[[Results | None, Studies], Table], str]] = {  # and the stage's table that each shows
    "studies": (trust.studies_table, "studies"),
    "strengths": (trust.strengths, "strengths"),
    "reliability": (trust.reliability, "reliability"),
    "agreement": (trust.agreement, "agreement"),
    "plan": (trust.plan, "planning"),
    "planning": (trust.planning, "planning"),
}


def sections(
    studies: Studies, results: Results | None = None, harivo: Mapping[str, Any] | None = None
) -> dict[str, list[Table]]:
    """Tables by the title of their section; sections without any are left out, but the first, of the studies.

    Args:
        results: of the run whose clips were voted on; None without one. harivo: what that paper prints.
    """
    printed = harivo or {}
    found = {
        "": of_all(results, studies, "studies"),
        "Which method is best?": choices.best_of(results, studies),
        "A or B?": choices.pairs(results, studies, printed.get("table_3", {})),
        "What do clips show?": judged.attributes(results, studies, printed.get("table_a2", {})),
        "Is the mixture shown?": judged.mixtures(results, studies),
        "How good are clips?": judged.ratings(results, studies),
        "How strong is each method?": of_all(results, studies, "strengths"),
        "Do raters agree?": of_all(results, studies, "reliability"),
        "Which metrics agree with raters?": of_all(results, studies, "agreement"),
        "How many votes does it take?": of_all(results, studies, "plan", "planning"),
    }
    return {title: tables for title, tables in found.items() if tables}


def of_all(results: Results | None, studies: Studies, *names: str) -> list[Table]:
    """The tables of these names that have rows."""
    return [_OF_ALL[name][0](results, studies) for name in names if len(studies.table(_OF_ALL[name][1]))]
