"""HARIVO's tables beside the printed ones, what its mapping network does, and clips of every variant."""

from collections.abc import Sequence

import pandas as pd

from pipeline.report import cue, harivo_comparison, harivo_trials, plots
from pipeline.report.cards import cards, slices
from pipeline.report.formatting import fixed, interval
from pipeline.report.metric_tables import BOLD, INTERVALS, metric_cell, metric_column, separated
from pipeline.report.page import Content, Page
from pipeline.report.printed import published
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row, with_shared_notes
from pipeline.world.attributes import ATTRIBUTES, AVERAGE, HEADING

PRINTED = (*ATTRIBUTES, AVERAGE)  # in this order
CUE = ("animatediff", "animatediff_cueless")
UNMAPPED = ("harivo", "harivo_unmapped", "frames", "frames_mapped")
PERSONALISED = ("harivo", "personalised")
_ELSEWHERE = "The paper's values: UCF-101, and people judging 400 videos. Other data, other size: compare the order."
_ON = 0.5  # share of a place's pixels from which on the object is there
_ONCE = "Measured once, with more clips than this run makes; what was measured comes with the repository."
_ACTION = (
    "The paper's annotators did not check the direction of movement under action; here action is the direction. "
    "Heading is what the shading of single frames shows, and no part of the average."
)


def build(results: Results) -> Content:
    """The tables that this run can fill, the mapping network's effect, and clips of the same prompts and noise."""
    tables, missing = _tables(results)
    figures = {}
    if results.mapping_effect is not None:
        figures["mapping"] = plots.mapping_effect(results.mapping_effect)
    if results.token_attention is not None:
        figures["tokens"] = plots.token_attention(results.token_attention)
    if results.judged:
        figures["average"] = plots.rates(results.prompted, AVERAGE, "average of the four attributes")
    every = tuple(dict.fromkeys(results.prompted.method))
    groups = {"cue": CUE, "unmapped": UNMAPPED, "personalised": PERSONALISED, "all": every}
    clips = {name: cards(results, methods) for name, methods in groups.items()}
    clips["slices"] = slices(results, list(results.params.harivo.ablation.values()))
    context = {
        "tests": results.attribute_tests(set(results.params.harivo.ablation.values())),
        "confidence": results.params.evaluate.confidence,
        "family": results.family("attribute_tests"),
        "remark": results.params.harivo.remark,
        "attended": None if results.token_attention is None else _attended(results.token_attention),
    }
    return Content(context, tables, figures, clips, missing)


def _attended(places: pd.DataFrame) -> dict[str, str]:
    """Per cent of the attention that frame-wise tokens have: where the object is, elsewhere, and if all were alike."""
    shown = {"object": places[places.object > _ON], "elsewhere": places[places.object == 0]}
    means = {name: fixed(100 * own.share.mean(), 1) for name, own in shown.items()}
    return means | {"even": fixed(100 * places.even.iloc[0], 1)}


def _tables(results: Results) -> tuple[list[Table], list[str]]:
    """Tables, and a sentence for each that is missing."""
    tables, missing = [], []
    variants, values = _measured(results)
    if variants and set(variants.values()) <= set(values[values.metric == AVERAGE].method):
        tables += [_table_1(results), _table_a2(results)]
    else:
        missing.append("Tables 1 and A2 need trials (harivo.trials.ablation), or methods that were judged.")
    tables += harivo_trials.tables(results)
    if (comparison := harivo_comparison.table(results, published(__file__)["table_2"])) is not None:
        tables.append(comparison)
    else:
        missing.append("Table 2 needs a method that was asked for prompts and evaluated.")
    if results.normality is not None:
        tables.append(_table_a1(results.normality))
    else:
        missing.append("Table A1 needs the stage normality.")
    if (with_and_without := cue.table(results)) is not None:
        tables.append(with_and_without)
    else:
        missing.append("The table of the cue needs a training and its control (report.controls) with their histories.")
    return tables, missing


def _measured(results: Results) -> tuple[dict[str, str], pd.DataFrame]:
    """What stands for each row of the ablation, and its values: trials, of many clips, else methods of the run."""
    harivo = results.params.harivo
    return (
        (harivo.trials.ablation, results.trial_values) if harivo.trials.ablation else (harivo.ablation, results.metrics)
    )


def _table_1(results: Results) -> Table:
    """FVD and KVD of every variant, where they were measured, beside the paper's FVD."""
    variants, values = _measured(results)
    shown = [name for name in ("fvd", "kvd") if name in set(values.metric)]
    columns = [Column("Variant", numeric=False), *map(metric_column, shown), Column("Paper's FVD")]
    theirs = published(__file__)["table_1"]
    rows = [
        row(variant, *_cells(results, method, shown), fixed(theirs.get(variant, float("nan")), 2))
        for variant, method in variants.items()
    ]
    caption = "FVD of HARIVO's ablation (Table 1)"
    remarks = _remarks(results)
    return Table("harivo_table_1", caption, *with_shared_notes(columns, rows), _ablation(results), remarks)


def _table_a2(results: Results) -> Table:
    """The attributes of every variant beside the paper's."""
    order = (AVERAGE, *ATTRIBUTES)
    shown = (*order, HEADING)
    paper = [Column(f"Paper: {name.replace('_', ' ')}", "%") for name in order]
    columns = [Column("Variant", numeric=False), *map(metric_column, shown), *paper]
    rows = []
    for variant, method in _measured(results)[0].items():
        theirs = dict(zip(PRINTED, published(__file__)["table_a2"].get(variant, []), strict=False))
        rows.append(row(variant, *_cells(results, method, shown), *(_printed(theirs.get(name)) for name in order)))
    caption = "Attributes of HARIVO's ablation (Table A2)"
    remarks = [*_remarks(results), _ACTION]
    return Table("harivo_table_a2", caption, columns, rows, _ablation(results), remarks)


def _remarks(results: Results) -> list[str]:
    """Why the ablation is not to be compared; if it is, what its cells are."""
    harivo = results.params.harivo
    cells = f"{INTERVALS.format(100 * results.params.evaluate.confidence)} {_ONCE}" if harivo.trials.ablation else BOLD
    return [harivo.remark, cells] if harivo.remark else [_ELSEWHERE, cells]


def _cells(results: Results, method: str, names: Sequence[str]) -> list[Cell]:
    measured = _measured(results)[1]
    values = measured[measured.method == method].set_index("metric")
    best = set() if results.params.harivo.trials.ablation else separated(results, "ablation")
    return [metric_cell(values, name, (name, method) in best) for name in names]


def _printed(value: float | None) -> Cell:
    return Cell() if value is None else Cell(f"{value:g}")


def _ablation(results: Results) -> pd.DataFrame:
    """The values that belong to the ablation, with the variant's name and the paper's value."""
    named, values = _measured(results)
    variants = {method: variant for variant, method in named.items()}
    own = values[values.method.isin(list(variants))].copy()
    own.insert(0, "variant", own.method.map(variants))
    theirs = {(variant, "fvd"): value for variant, value in published(__file__)["table_1"].items()}
    for variant, values in published(__file__)["table_a2"].items():
        theirs |= {(variant, name): value / 100 for name, value in zip(PRINTED, values, strict=True)}
    return own.assign(paper=[theirs.get(place) for place in zip(own.variant, own.metric, strict=True)])


def _table_a1(normality: pd.DataFrame) -> Table:
    """The share of noises that pass, beside the paper's where frames and weight are its own."""
    same = normality.weight.isin([0, 1]) & (normality.frames == 24)
    data = normality.assign(paper=normality.noise.map(published(__file__)["table_a1"]).where(same))
    columns = [
        Column("Noise", numeric=False),
        Column("Pass Jarque-Bera", "%"),
        Column("Paper", "%"),
        Column("Shape C×F×h×w", numeric=False),
        Column("Correlation of frames"),
    ]
    rows = [
        row(
            f"mixed, a = {one.weight:g}" if one.weight else "independent",
            interval(100 * one.share, 100 * one.low, 100 * one.high, 1),
            fixed(one.paper, 2),
            str(one.shape).replace("x", "×"),
            f"{one.correlation:g}",
        )
        for one in data.itertuples()
    ]
    remark = f"Each of {int(normality.videos.iloc[0]):,} noises is one sample, the whole video."
    return Table("harivo_table_a1", "Noises that pass for Gaussian (Table A1)", columns, rows, data, [remark])


PAGE = Page(
    "paper_harivo",
    "HARIVO",
    "The ablation beside the paper's tables, the mapping network, personalised clips.",
    build,
    of_run=True,
)
