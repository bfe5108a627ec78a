"""Best of N in the layout of ETC's Table 4, and pairs in that of HARIVO's Table 3."""

from collections.abc import Mapping

import pandas as pd

from metrics.user_study.shares import of_raters
from metrics.user_study.votes import TIE
from pipeline.report.formatting import fixed
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row
from pipeline.report.user_study.remarks import caveats
from pipeline.report.user_study.studies import CLUSTERED, Studies, percent, words

OURS = "harivo"  # the method that stands beside the printed HARIVO
LEVEL = 0.05
_WILSON = "Wilson's intervals take votes for independent, which those of one rater, or on one prompt, are not."
_DENOMINATOR = "Of the trials that showed a method; “cannot tell” counts."
_MEAN = "Last row: mean over raters, whatever the number of their votes, and Student's interval for other raters."
_TESTS = (
    "Percent of the votes that decide; ties stand beside. p: of the bootstrap over raters and prompts; exact p: of "
    "the binomial test, which takes votes for independent. Both two-sided, with Holm's correction over the table. The "
    "first is never below the second, and decisive: bold where it is below {:g}. Intervals are of one cell alone, "
    "without correction."
)
_PRINTED = "Paper: HARIVO against other models, on other videos: more than 5,000 votes of 50 raters, without intervals."


def best_of(results: Results | None, studies: Studies) -> list[Table]:
    """For each study a table of everybody and each profession, and one with a row for each rater."""
    made = []
    for study, own in studies.by_study("shares"):
        names = [*(name for name in dict.fromkeys(own.method) if name != TIE), TIE]
        made += [_overall(results, studies, study, own, names), _by_rater(studies, study, own, names)]
    return made


def pairs(results: Results | None, studies: Studies, printed: Mapping[str, Mapping[str, float]]) -> list[Table]:
    """A table for each study. printed: the paper's percentages by question, then by opponent."""
    return [_pairs(results, studies, study, own, printed) for study, own in studies.by_study("preferences")]


def _overall(results: Results | None, studies: Studies, study: str, own: pd.DataFrame, names: list[str]) -> Table:
    columns = [Column("Group", numeric=False), Column("Raters"), Column("Votes"), *_methods(names)]
    data = own[own.group != "rater"]
    rows = []
    for (group, key), part in data.groupby(["group", "key"], sort=False):
        whose = "everybody" if group == "overall" else str(key) or "did not say"
        rows.append(_shares_row([whose], part, names, ("low", "high")))
        if group == "overall":
            rows.append(_shares_row(["everybody, Wilson's interval"], part, names, ("wilson_low", "wilson_high")))
    remarks = [*caveats(results, own), CLUSTERED.format(100 * studies.confidence), _WILSON, _DENOMINATOR]
    caption = f"How often each method was picked, study {study} (ETC, Table 1)"
    return studies.shown(f"shares_{study}", caption, columns, rows, data, [*remarks, studies.rule(study)])


def _by_rater(studies: Studies, study: str, own: pd.DataFrame, names: list[str]) -> Table:
    data = own[own.group == "rater"]
    every = studies.table("raters")
    of = every[every.study == study].set_index("rater")
    columns = [
        *(Column(title, numeric=False) for title in ("Rater", "Profession")),
        *(Column("Years"), Column("Votes"), *_methods(names)),
    ]
    rows = []
    for rater in sorted(dict.fromkeys(data.key), key=lambda name: (of.profession[name], name)):
        part, years = data[data.key == rater].set_index("method"), of.years[rater]
        about = [rater, of.profession[rater] or "–", fixed(years, 0), str(part.votes[TIE])]
        rows.append(row(*about, *(percent(part.value[name]) for name in names)))
    wide = data.pivot(index="key", columns="method", values="value")[names]
    means = of_raters(wide, studies.confidence).set_index("method")
    rows.append(row("mean", "", "", "", *(percent(*means.loc[name, ["value", "low", "high"]]) for name in names)))
    remarks = [_MEAN, studies.rule(study)]
    caption = f"How often each rater picked each method, study {study} (ETC, Table 4)"
    return studies.shown(f"raters_{study}", caption, columns, rows, data, remarks)


def label(method: str) -> str:
    """A method's name, and what a tie is called."""
    return "cannot tell" if method == TIE else method


def _methods(names: list[str]) -> list[Column]:
    return [Column(label(name), "%") for name in names]


def _shares_row(first: list[str], part: pd.DataFrame, names: list[str], bounds: tuple[str, str]) -> list[Cell]:
    own = part.set_index("method")
    cells = [percent(own.value[name], own[bounds[0]][name], own[bounds[1]][name]) for name in names]
    return row(*first, str(own.raters[TIE]), str(own.votes[TIE]), *cells)


def _pairs(
    results: Results | None, studies: Studies, study: str, own: pd.DataFrame, printed: Mapping[str, Mapping[str, float]]
) -> Table:
    contrasts = list(dict.fromkeys(zip(own.candidate, own.opponent, strict=True)))
    theirs = printed if {a for a, _ in contrasts} == {OURS} else {}
    others = list(next(iter(theirs.values()), {}))
    columns = [Column("Question", numeric=False)]
    for a, b in contrasts:
        columns += [Column(f"{a} over {b}", "%"), Column("ties"), Column("p"), Column("exact p")]
    columns += [Column(f"Paper: over {other}", "%") for other in others]
    rows = []
    for question, part in own.groupby("question", sort=False):
        cells = [cell for one in part.to_dict("records") for cell in _preference(one)]
        shown = [fixed(theirs.get(str(question), {}).get(other, float("nan")), 2) for other in others]
        rows.append(row(words(str(question)), *cells, *shown))
    methods = pd.DataFrame({"method": [*own.candidate, *own.opponent]})
    remarks = [
        *caveats(results, methods),
        CLUSTERED.format(100 * studies.confidence),
        _TESTS.format(LEVEL),
        *([_PRINTED] if others else []),
        studies.rule(study),
    ]
    caption = f"How often one method was preferred to another, study {study} (HARIVO, Table 3)"
    return studies.shown(f"preferences_{study}", caption, columns, rows, own, remarks)


def _preference(one: dict[str, float]) -> list[Cell]:
    share = percent(one["value"], one["low"], one["high"])
    return row(
        Cell(share, bold=one["p_holm"] < LEVEL),
        f"{one['ties']} of {one['votes']}",
        probability(one["p_holm"]),
        probability(one["p_exact_holm"]),
    )


def probability(p: float) -> str:
    """`0.012`, `< 0.0001`, a dash for NaN."""
    return "< 0.0001" if p < 1e-4 else fixed(p, 4 if p < 0.01 else 3)
