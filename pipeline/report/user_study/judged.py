"""Clips by themselves: attributes in the layout of HARIVO's Table A2, mixtures, ratings."""

from collections.abc import Mapping, Sequence

import pandas as pd

from metrics.user_study.attributes import AVERAGE, SUCCESS
from pipeline.report.formatting import interval
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row
from pipeline.report.user_study.remarks import caveats, variants
from pipeline.report.user_study.studies import CLUSTERED, Studies, percent, words

_ALL_THREE = "Mixture shown: yes to all three questions of a trial."
_PAPER = "Paper: people judging 400 videos of other models and data; compare the order."


def attributes(results: Results | None, studies: Studies, printed: Mapping[str, Sequence[float]]) -> list[Table]:
    """A table for each study. printed: the paper's percentages by variant, the average last."""
    rows_of = variants(results)
    made = []
    for study, own in studies.by_study("attributes"):
        questions = [AVERAGE, *(name for name in dict.fromkeys(own.question) if name != AVERAGE)]
        order = [name for name in rows_of if name in set(own.method)]
        order += [name for name in dict.fromkeys(own.method) if name not in rows_of]
        beside = [name for name in order if rows_of.get(name) in printed]
        columns = [
            Column("Method", numeric=False),
            *(Column(words(name), "%") for name in questions),
            Column("Answers"),
        ]
        columns += [Column(f"Paper: {words(name)}", "%") for name in questions] if beside else []
        rows = []
        for method in order:
            part = own[own.method == method].set_index("question")
            theirs = printed.get(rows_of.get(method, ""), [])
            shown = [*theirs[-1:], *theirs[:-1]] or [None] * len(questions)
            paper = [Cell() if value is None else Cell(f"{value:g}") for value in shown] if beside else []
            cells = _cells(part, questions)
            rows.append(row(f"{method} ({rows_of[method]})" if method in rows_of else method, *cells, *paper))
        remarks = [*caveats(results, own), CLUSTERED.format(100 * studies.confidence)]
        remarks += [*([_PAPER] if beside else []), studies.rule(study)]
        caption = f"Yes to each question about a clip, study {study} (HARIVO, Table A2)"
        made.append(studies.shown(f"attributes_{study}", caption, columns, rows, own, remarks))
    return made


def mixtures(results: Results | None, studies: Studies) -> list[Table]:
    """A table for each study: the success rate, with both intervals, and yes to each question."""
    made = []
    for study, own in studies.by_study("mixture"):
        questions = [name for name in dict.fromkeys(own.question) if name != SUCCESS]
        titles = ("Mixture shown", "Wilson's interval", *map(words, questions))
        columns = [Column("Method", numeric=False), *(Column(title, "%") for title in titles), Column("Trials")]
        rows = []
        for method, part in own.groupby("method", sort=False):
            found = part.set_index("question")
            wilson = percent(*found.loc[SUCCESS, ["value", "wilson_low", "wilson_high"]])
            first, *others = _cells(found, [SUCCESS, *questions])
            rows.append(row(str(method), first, wilson, *others))
        remarks = [_ALL_THREE, CLUSTERED.format(100 * studies.confidence), studies.rule(study)]
        caption = f"How often raters saw the mixture in one object, study {study} (RichSpace)"
        made.append(studies.shown(f"mixture_{study}", caption, columns, rows, own, remarks))
    return made


def ratings(results: Results | None, studies: Studies) -> list[Table]:
    """A table for each study: the mean rating of each method and question."""
    made = []
    for study, own in studies.by_study("ratings"):
        questions = list(dict.fromkeys(own.question))
        columns = [Column("Method", numeric=False), *(Column(f"{words(name)} (1–5)") for name in questions)]
        rows = []
        for method, part in own.groupby("method", sort=False):
            found = part.set_index("question")
            cells = [interval(*found.loc[name, ["value", "low", "high"]], 2) for name in questions]
            rows.append(row(str(method), *cells, str(found.votes.max())))
        remarks = [*caveats(results, own), CLUSTERED.format(100 * studies.confidence), studies.rule(study)]
        caption = f"Mean ratings, study {study}"
        made.append(studies.shown(f"ratings_{study}", caption, [*columns, Column("Answers")], rows, own, remarks))
    return made


def _cells(part: pd.DataFrame, questions: Sequence[str]) -> list[Cell]:
    """Of one method, by question; last how many answers were given."""
    cells = [Cell(percent(*part.loc[name, ["value", "low", "high"]])) for name in questions]
    return [*cells, Cell(str(part.votes.max()))]
