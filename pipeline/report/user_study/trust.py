"""What votes rest on and lead to: who voted, strengths, how far raters agree, which metrics agree, the next study."""

import pandas as pd

from metrics.user_study.power import votes_needed
from pipeline.evaluation.catalogue import METRICS
from pipeline.report.formatting import fixed, interval
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row
from pipeline.report.user_study.remarks import caveats
from pipeline.report.user_study.studies import CLUSTERED, Studies, percent, words

_DESIGNS = {
    "best_of": "best of N",
    "pairwise": "pairs",
    "attributes": "yes or no",
    "mixture": "mixtures",
    "rating": "rating from 1 to 5",
}
_STRENGTH = (
    "Bradley and Terry's model with Davidson's ties: the chance of being picked if all methods of the study were shown "
    "at once; a vote for one of N clips is N − 1 comparisons, “cannot tell” a tie of every two. Ties v: how likely "
    "they are, 0 is never. A question is left out where some methods were never picked over any of the others: no "
    "strength fits that."
)
_ALPHA = (
    "1 is full agreement, 0 what chance gives. Of ratings the ordinal coefficient, of all others the nominal one. "
    "Intervals: jackknife over raters and prompts."
)
_AGREEMENT = (
    "Percent of ordered pairs of clips, of one prompt, that a metric orders as a vote does; 50 is chance, and what a "
    "metric gets for clips that it cannot tell apart. Bold: intervals without 50. ↓: less is better. Average: of the "
    "judge's four attributes. Roughness: how far an object is off a straight, even path, in pixels."
)
_CIRCLE = "Simulated raters go by the judge's findings, so its own metrics agree by construction."
_POWER = (
    "For a power of 80 % at p < 0.05, two-sided. Raters needed: with the correlations ρ of votes of one rater, and on "
    "one prompt, that were found, as many ties and votes each, on as many prompts. A dash where no number of raters on "
    "these prompts is enough: more prompts are needed."
)
_GIVEN = (
    "Votes needed: if votes were independent, with as many ties as there were. A dash also where methods are level."
)


def studies_table(results: Results | None, studies: Studies) -> Table:
    """A row for each study: its design, who voted, who was left out."""
    data = studies.table("studies")
    columns = [
        *(Column(title, numeric=False) for title in ("Study", "Design", "Methods")),
        *(Column(title) for title in ("Raters", "Left out", "Answers counted", "Prompts")),
        Column("Median trial", "s"),
    ]
    rows = [
        row(
            *(one.study, _DESIGNS[one.design], one.methods.replace(" ", ", ")),
            *(str(one.raters), str(one.excluded), f"{one.votes:,}", str(one.prompts), fixed(one.seconds, 1)),
        )
        for one in data.itertuples()
    ]
    remarks = [f"{one.study}: {one.rule}" for one in data.itertuples()]
    return studies.shown("studies", "Studies, raters and answers", columns, rows, data, remarks)


def strengths(results: Results | None, studies: Studies) -> Table:
    """A row for each study, question and method."""
    data = studies.table("strengths")
    columns = [
        *(Column(title, numeric=False) for title in ("Study", "Question", "Method")),
        *(Column("Strength", "%"), Column("Comparisons"), Column("Ties v")),
    ]
    rows = [
        row(
            *(one.study, words(one.question), one.method),
            *(percent(one.value, one.low, one.high), f"{one.comparisons:,}", fixed(one.tie, 2)),
        )
        for one in data.itertuples()
    ]
    remarks = [*caveats(results, data), CLUSTERED.format(100 * studies.confidence), _STRENGTH]
    return studies.shown("strengths", "Bradley–Terry strengths", columns, rows, data, remarks)


def reliability(results: Results | None, studies: Studies) -> Table:
    """A row for each study and question."""
    data = studies.table("reliability")
    columns = [
        *(Column(title, numeric=False) for title in ("Study", "Question")),
        *(Column("Krippendorff's α"), Column("Raters"), Column("Units"), Column("Scale", numeric=False)),
    ]
    rows = [
        row(
            *(one.study, words(one.question), interval(one.value, one.low, one.high, 2)),
            *(str(one.raters), str(one.units), one.scale),
        )
        for one in data.itertuples()
    ]
    return studies.shown("reliability", "How far raters agree with one another", columns, rows, data, [_ALPHA])


def agreement(results: Results | None, studies: Studies) -> Table:
    """A row for each study and question, a column for each metric."""
    data = studies.table("agreement")
    names = [name for name in METRICS if name in set(data.metric)]
    arrows = {True: "", False: " ↓", None: ""}
    columns = [
        *(Column(title, numeric=False) for title in ("Study", "Question")),
        *(Column(f"{METRICS[name].label}{arrows[METRICS[name].higher_is_better]}", "%") for name in names),
        Column("Pairs"),
    ]
    rows = []
    for (study, question), own in data.groupby(["study", "question"], sort=False):
        found = own.set_index("metric")
        cells = [_agreed(found, name) for name in names]
        rows.append(row(str(study), words(str(question)), *cells, f"{found.pairs.max():,}"))
    remarks = [CLUSTERED.format(100 * studies.confidence), _AGREEMENT, *([_CIRCLE] if studies.simulated else [])]
    return studies.shown("agreement", "How often automatic metrics agree with votes", columns, rows, data, remarks)


def _agreed(found: pd.DataFrame, metric: str) -> Cell:
    """Bold where the interval leaves chance out."""
    if metric not in found.index:
        return Cell()
    value, low, high = found.loc[metric, ["value", "low", "high"]]
    return Cell(percent(value, low, high), bold=bool(low > 0.5 or high < 0.5))


def plan(results: Results | None, studies: Studies) -> Table:
    """Raters by the share that is to be told from one half, a row for each study and question; votes in the first."""
    data = studies.table("planning")
    planned = data[data["first"] == ""]
    shares = sorted(planned.share.unique())
    columns = [
        *(Column(title, numeric=False) for title in ("Study", "Question")),
        *(Column(f"{100 * share:.0f} : {100 - 100 * share:.0f}") for share in shares),
        *(Column("Prompts"), Column("Votes of a rater"), Column("ρ raters"), Column("ρ prompts")),
    ]
    votes = [fixed(votes_needed(share), 0) for share in shares]
    rows = [row("votes, if independent", "any", *votes, *(Cell() for _ in range(4)))]
    for (study, question), own in planned.groupby(["study", "question"], sort=False):
        one, raters = own.iloc[0], own.set_index("share").raters_needed
        cells = [fixed(raters[share], 0) for share in shares]
        about = [str(one.prompts), fixed(one.per_rater, 0), fixed(one.rho_raters, 2), fixed(one.rho_prompts, 2)]
        rows.append(row(f"raters as in {study}", words(str(question)), *cells, *about))
    return studies.shown("plan", "Raters needed to tell two methods apart", columns, rows, planned, [_POWER])


def planning(results: Results | None, studies: Studies) -> Table:
    """A row for each study, question and pair of methods, at the share that was found."""
    every = studies.table("planning")
    data = every[every["first"] != ""]
    columns = [
        *(Column(title, numeric=False) for title in ("Study", "Question", "Methods")),
        *(Column("Share of votes", "%"), Column("Votes given"), Column("Votes needed"), Column("Raters")),
        Column("Raters needed"),
    ]
    rows = [
        row(
            *(one.study, words(one.question), f"{one.first}, {one.second}", percent(one.share)),
            *(fixed(one.votes, 0), fixed(one.needed, 0), str(one.raters), fixed(one.raters_needed, 0)),
        )
        for one in data.itertuples()
    ]
    return studies.shown("planning", "Votes that tell two methods apart", columns, rows, data, [_POWER, _GIVEN])
