"""Published figures, and this run's values beside them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from pipeline.evaluation.catalogue import METRICS
from pipeline.published.manifest import other_parameters
from pipeline.published.reproduced import DIFFERS, REPRODUCED
from pipeline.report import metric_tables
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
    "mixtures": "Published: methods asked for mixtures; below each the clips that this run has too, and this run",
    "prompts": "Published: methods asked for prompts; below each the clips that this run has too, and this run",
}
_SIGNS = {REPRODUCED: "≈", DIFFERS: "≠"}
_EXPLAINED = (
    f"Of the same clips: the published clips that this run has made again, alone. {_SIGNS[REPRODUCED]} the run's value "
    f"lies in their interval (reproduced), {_SIGNS[DIFFERS]} it does not (differs)."
)
_SAME_CLIPS, _HERE = "of the same clips", "this run"
_NAN = float("nan")


def tables(results: Results) -> list[Table]:
    """For each group of methods a row of published figures, and below it those of the clips that this run has too, and
    this run's values; nothing where nothing is published."""
    whole = results.full_size
    if whole is None:
        return []
    groups = {"mixtures": whole.mixed, "prompts": whole.prompted}
    return [_beside(results, whole, methods, name) for name, methods in groups.items() if len(methods)]


def said(results: Results, metric: str, method: str) -> str:
    """`This run: 0.81. Published, of the same 16 clips: 0.80 (0.79-0.82). Reproduced.`; nothing where the run has no
    such value."""
    own = results.reproduced
    found = own[(own.metric == metric) & (own.method == method)]
    if found.empty:
        return ""
    one, cell = found.iloc[0], METRICS[metric].cell
    theirs = f"Published, of the same {one.clips:.0f} clips: {cell(one.published, one.low, one.high)}"
    return f"This run: {cell(one.value, _NAN, _NAN)}. {theirs}. {one.verdict.capitalize()}."


def differences(results: Results) -> list[Table]:
    """The paired differences of published methods."""
    whole = results.full_size
    if whole is None or whole.comparisons["differences"].empty:
        return []
    caption = "Published: differences on the same prompts and noise"
    return [replace(metric_tables.differences(whole), name="published_differences", caption=caption)]


def background(results: Results) -> dict[str, Any] | None:
    """What is to be said of the published figures in a sentence or two; None where there are none.

    clips: their number. first, last: days on which they were made. machines: on which. common: clips that this run has
    too; same: how many of them are bit for bit alike. compared: values of this run that were compared; reproduced,
    differs: how many of them are. others: methods of this run that could not be compared; alone: those that have no
    published figures; elsewhere: those that have, but of no clip that this run has.
    """
    if results.full_size is None:
        return None
    own, behind = results.reproduced, results.manifests
    days = sorted(one.made for one in behind)
    by_method = own[own.metric != ""].groupby("method")[["clips", "same"]].first().sum()
    compared = own.verdict.isin([REPRODUCED, DIFFERS])
    known, run = {one.method for one in behind}, list(dict.fromkeys(results.metrics.method))
    return {
        "clips": sum(one.requested for one in behind),
        "first": days[0],
        "last": days[-1],
        "machines": sorted({one.machine.processor for one in behind}),
        "common": int(by_method.clips),
        "same": int(by_method.same),
        "compared": int(compared.sum()),
        **{verdict: int((own.verdict == verdict).sum()) for verdict in (REPRODUCED, DIFFERS)},
        "others": int(own[~compared].method.nunique()),
        "alone": [method for method in run if method not in known],
        "elsewhere": [method for method in run if method in known - set(own.method)],
    }


def behind(results: Results) -> Table:
    """What stands behind the published figures of each method."""
    columns = [Column(name, numeric=False) for name in ("Method", "Made", "Code", "Weights", "Machine")]
    columns += [Column("Clips"), Column("Sampling", "s")]
    rows = [
        row(
            one.method,
            one.made,
            one.commit[:10] + (" and changes" if one.changed else ""),
            one.weights,
            f"{one.machine.processor}, {one.machine.device}",
            str(one.requested),
            f"{one.seconds:,.0f}",
        )
        for one in results.manifests
    ]
    data = pd.json_normalize([one.model_dump() for one in results.manifests], sep=".")
    remark = "Sampling: all clips together; other work ran beside some of them, so methods' times do not compare."
    return Table("published_behind", "What stands behind the published figures", columns, rows, data, [remark])


def _beside(results: Results, whole: Results, methods: pd.DataFrame, name: str) -> Table:
    own = results.reproduced[results.reproduced.method.isin(methods.method)]
    # speed and size are no figures to reproduce: they stay on the page of methods
    shown = metric_tables.present(methods[methods.low.notna()])
    run = set(own.method) & set(results.params.generate.methods)  # a method may have left params.yaml since it ran
    behind = [one for one in results.manifests if one.method in run]
    others = {one.method: ", ".join(other_parameters(results.params, one)) for one in behind}
    columns = [Column("Method", numeric=False), Column("Clips"), *(metric_column(metric) for metric in shown)]
    rows = []
    for method, figures in methods.groupby("method", sort=False):
        values, here = figures.set_index("metric"), own[own.method == method].set_index("metric")
        rows.append(row(str(method), clips_cell(figures.iloc[0]), *(metric_cell(values, metric) for metric in shown)))
        rows += _of_run(str(method), here, shown, others.get(str(method), "")) if len(here) else []
    remarks = [INTERVALS.format(100 * whole.params.evaluate.confidence), _EXPLAINED, *few(methods)]
    remarks += not_compared(results, methods)
    data, caption = _values(methods, own), _CAPTIONS[name]
    return Table(f"published_{name}", caption, *with_shared_notes(columns, rows), data=data, remarks=remarks)


def _values(methods: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """A row for every value of published clips, of those among them that the run has too, and of the run."""
    full = methods[["method", "asked", "metric", "value", "low", "high", "flag", "scored"]]
    both = full.merge(own, "outer", ["method", "asked", "metric"], suffixes=("_published", "_same_clips"))
    of_run = {"value_same_clips": "value_this_run", "flag_same_clips": "flag_this_run"}  # as the merge calls them
    both = both.rename(columns=of_run | {"published": "value_same_clips", "scored": "clips_published"})
    return both.astype(dict.fromkeys(("clips_published", "clips", "same"), "Int64"))


def _of_run(method: str, here: pd.DataFrame, shown: Sequence[str], others: str) -> list[list[Cell]]:
    """The published clips that the run has too, and the run; one row without values where they do not compare. others:
    parameters of the run that are not those of the published clips, noted at its name."""
    clips = f"{here.clips.max():.0f}"
    name = Cell(f"{method}, {_HERE}", note=f"other parameters: {others}" if others else "")
    if "" in here.index:
        return [row(name, Cell(clips, note=here.verdict.iloc[0]), *(Cell() for _ in shown))]
    theirs = here.rename(columns={"value": "own", "published": "value"})
    cells = [[metric_cell(theirs, metric) for metric in shown], [_here(here, metric) for metric in shown]]
    names = (f"{method}, {_SAME_CLIPS}", name)
    return [row(name, clips, *values) for name, values in zip(names, cells, strict=True)]


def _here(here: pd.DataFrame, metric: str) -> Cell:
    """This run's value with the sign of its verdict; what differs is bold."""
    if metric not in here.index:
        return Cell()
    own = here.loc[metric]
    text = f"{_SIGNS[own.verdict]} {cell_text(metric, own.value, _NAN, _NAN)}"
    return Cell(text, own.verdict == DIFFERS, own.flag)
