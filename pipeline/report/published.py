"""Published figures, and this run's values beside them."""

from typing import Any

import pandas as pd

from pipeline.evaluation.catalogue import METRICS
from pipeline.published.reproduced import DIFFERS, REPRODUCED
from pipeline.report.metric_tables import (
    INTERVALS,
    cell_text,
    clips_cell,
    few,
    metric_cell,
    metric_column,
    not_compared,
)
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row, with_shared_notes

_CAPTIONS = {
    "mixtures": "Published: methods asked for mixtures, and this run below each",
    "prompts": "Published: methods asked for prompts, and this run below each",
}
_EXPLAINED = (
    f"{REPRODUCED}: the run's value lies in the interval of the published clips of the same prompts and noise, which "
    "the CSV has."
)
_HERE = "· this run"
_NAN = float("nan")


def tables(results: Results) -> list[Table]:
    """For each group of methods a row of published figures, and below it one of this run's values with what is to be
    said of them; nothing where nothing is published."""
    whole = results.full_size
    if whole is None:
        return []
    groups = {"mixtures": whole.mixed, "prompts": whole.prompted}
    return [_beside(results, whole, methods, name) for name, methods in groups.items() if len(methods)]


def said(results: Results, metric: str, method: str) -> str:
    """`This run: 81.2 %, reproduced.`; nothing where the run has no such value."""
    own = results.reproduced
    found = own[(own.metric == metric) & (own.method == method)].to_dict("records")
    return f"This run: {METRICS[metric].cell(found[0]['value'], _NAN, _NAN)}, {found[0]['verdict']}." if found else ""


def background(results: Results) -> dict[str, Any] | None:
    """What is to be said of the published figures in a sentence or two; None where there are none.

    clips: their number. first, last: days on which they were made. machines: on which. common: clips that this run has
    too; same: how many of them are bit for bit alike. compared: values of this run that were compared; reproduced,
    differs: how many of them are. others: methods of this run that could not be compared.
    """
    if results.full_size is None:
        return None
    own, behind = results.reproduced, results.manifests
    days = sorted(one["made"] for one in behind)
    by_method = own[own.metric != ""].groupby("method")[["clips", "same"]].first().sum()
    compared = own.verdict.isin([REPRODUCED, DIFFERS])
    return {
        "clips": sum(one["requested"] for one in behind),
        "first": days[0],
        "last": days[-1],
        "machines": sorted({one["machine"]["processor"] for one in behind}),
        "common": int(by_method.clips),
        "same": int(by_method.same),
        "compared": int(compared.sum()),
        **{verdict: int((own.verdict == verdict).sum()) for verdict in (REPRODUCED, DIFFERS)},
        "others": int(own[~compared].method.nunique()),
    }


def behind(results: Results) -> Table:
    """What stands behind the published figures of each method."""
    columns = [Column(name, numeric=False) for name in ("Method", "Made", "Code", "Weights", "Machine")]
    columns += [Column("Clips"), Column("Sampling", "s")]
    rows = [
        row(
            one["method"],
            one["made"],
            one["commit"][:10] + (" and changes" if one["changed"] else ""),
            one["weights"],
            f"{one['machine']['processor']}, {one['machine']['device']}",
            str(one["requested"]),
            f"{one['seconds']:,.0f}",
        )
        for one in results.manifests
    ]
    data = pd.json_normalize(results.manifests, sep=".")
    return Table("published_behind", "What stands behind the published figures", columns, rows, data)


def _beside(results: Results, whole: Results, methods: pd.DataFrame, name: str) -> Table:
    own = results.reproduced[results.reproduced.method.isin(methods.method)]
    # speed and size are no figures to reproduce: they stay on the page of methods
    shown = [metric for metric in METRICS if metric in set(methods[methods.low.notna()].metric)]
    columns = [Column("Method", numeric=False), *(metric_column(metric) for metric in shown), Column("Clips")]
    rows = []
    for method, figures in methods.groupby("method", sort=False):
        values, here = figures.set_index("metric"), own[own.method == method].set_index("metric")
        rows.append(row(str(method), *(metric_cell(values, metric) for metric in shown), clips_cell(figures.iloc[0])))
        if len(here):
            clips = Cell(str(here.clips.max()), note=here.verdict.iloc[0] if "" in here.index else "")
            rows.append(row(_HERE, *(_here(here, metric) for metric in shown), clips))
    remarks = [INTERVALS.format(100 * whole.params.evaluate.confidence), _EXPLAINED, *few(methods)]
    remarks += not_compared(results, methods)
    return Table(f"published_{name}", _CAPTIONS[name], *with_shared_notes(columns, rows), data=own, remarks=remarks)


def _here(here: pd.DataFrame, metric: str) -> Cell:
    """This run's value and its verdict; what differs is bold."""
    if metric not in here.index:
        return Cell()
    own = here.loc[metric]
    return Cell(f"{cell_text(metric, own.value, _NAN, _NAN)}, {own.verdict}", own.verdict == DIFFERS)
