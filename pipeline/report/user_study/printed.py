"""ETC's Table 4 by the same analysis, and where the paper's own tables do not add up."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from metrics.user_study.shares import of_raters, sums_apart
from pipeline.report.formatting import fixed, interval
from pipeline.report.table import Column, Table, row

NAME = "user_study_etc_table4"
WHOLE = 100.0  # percent: what a volunteer's votes add up to
_MEANS = (
    "Means over volunteers with Student's 95 % intervals, for other volunteers on the same prompts: the paper prints "
    "neither how many votes each cast nor of which prompts."
)


def shares(printed: Mapping[str, Any]) -> pd.DataFrame:
    """The printed percentages: a row for each volunteer, a column for each model."""
    return pd.DataFrame.from_dict(printed["table_4"], orient="index", columns=list(printed["table_1"]))


def means(printed: Mapping[str, Any]) -> dict[str, float]:
    """The mean over volunteers of each model, in percent."""
    return of_raters(shares(printed), whole=WHOLE).set_index("method").value.to_dict()


def contradictions(printed: Mapping[str, Any]) -> list[str]:
    """Where Table 1's votes are not what Table 4 prints, a sentence each."""
    own, found = shares(printed), means(printed)
    other = [
        f"{model} ({found[model]:.2f}, printed {entry['votes']:.2f})"
        for model, entry in printed["table_1"].items()
        if f"{found[model]:.2f}" != f"{entry['votes']:.2f}"
    ]
    said = []
    if other:
        said.append(
            f"Votes by Table 4: the mean over its {len(own)} volunteers. It is another than Table 1's for "
            f"{', '.join(other)}; the paper does not say how it got from one to the other."
        )
    for volunteer, total in sums_apart(own, WHOLE).items():
        said.append(f"Table 4's shares of volunteer {volunteer} add up to {total:.1f} %, expected {WHOLE:g} %.")
    return said


def table_4(printed: Mapping[str, Any]) -> Table:
    """The volunteers, the means of each profession and of all, and what Table 1 prints."""
    own, about = shares(printed), printed["table_4_volunteers"]
    models = list(own)
    columns = [
        *(Column(title, numeric=False) for title in ("Volunteer", "Profession", "Occupation")),
        *(Column(model, "%") for model in models),
        Column("Sum", "%"),
    ]
    rows = [
        row(name, *about[name], *(f"{own[model][name]:.1f}" for model in models), f"{own.loc[name].sum():.1f}")
        for name in own.index
    ]
    professions = {name: about[name][0] for name in own.index}
    groups = {"all": list(own.index)}
    groups |= {p: [name for name in own.index if professions[name] == p] for p in dict.fromkeys(professions.values())}
    found = {group: of_raters(own.loc[names], whole=WHOLE).set_index("method") for group, names in groups.items()}
    rows += [row(f"mean of {group}", "", "", *_means(found[group], models), "") for group in groups]
    votes = [entry["votes"] for entry in printed["table_1"].values()]
    rows.append(row("Table 1", "", "", *(fixed(value, 2) for value in votes), fixed(sum(votes), 2)))
    data = pd.concat([table.reset_index().assign(group=group) for group, table in found.items()], ignore_index=True)
    remarks = [_MEANS, *contradictions(printed)]
    return Table(NAME, "The paper's volunteers (ETC, Table 4)", columns, rows, data, remarks)


def _means(found: pd.DataFrame, models: Sequence[str]) -> list[str]:
    return [interval(*found.loc[model, ["value", "low", "high"]], 2) for model in models]
