"""HARIVO's Table 2: the printed methods, and below them every method of this run in the same columns."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.config.generate import Method
from pipeline.config.params import Params
from pipeline.config.train import MotionTraining
from pipeline.evaluation.catalogue import PARAMETERS
from pipeline.report.formatting import fixed
from pipeline.report.lineage import training_of
from pipeline.report.metric_tables import INTERVALS, clips_cell, few, metric_cell, metric_column, not_compared
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row

NAME = "harivo_table_2"
PAPER = "Paper: "  # before the names of printed rows
VALUES = ("fvd", "clipsim")
_DIGITS = {"fvd": 2, "clipsim": 4}  # as they are printed
_MILLION, _BILLION = 1e6, 1e9
_WORLDS = (
    "The worlds differ: the printed values are FVD on UCF-101 and CLIPSIM on MSR-VTT, those of this run are of the toy "
    "world. Do not compare a printed row with one of this run; compare the order of the printed rows with the order "
    "here."
)
_COLUMNS = (
    "Single stage: one network makes the clip, none adds frames or enlarges it. Frozen: the text-to-image model below "
    "the trained layers is not trained. Frames by themselves are neither. Parameters: of the denoiser, or of all "
    "networks of a cascade."
)


def table(results: Results, printed: Mapping[str, Mapping[str, Any]]) -> Table | None:
    """Table 2; None where no method was asked for prompts and evaluated.

    Args:
        printed: by method single_stage, frozen, parameters (billions), fvd, clipsim, note, as far as it has them.
    """
    methods = results.params.generate.methods
    own = results.prompted[results.prompted.method.isin(list(methods))]
    if not len(own):
        return None
    columns = [
        Column("Method", numeric=False),
        *map(metric_column, VALUES),
        Column("Clips"),
        Column("Parameters", "M"),
        *(Column(title, numeric=False) for title in ("Single stage", "Frozen text-to-image model")),
    ]
    rows = [_printed(name, values) for name, values in printed.items()]
    for name, found in own.groupby("method", sort=False):
        rows.append(_measured(results.params, str(name), methods[str(name)], found))
    shown = own[own.metric.isin([*VALUES, PARAMETERS.name])]
    intervals = INTERVALS.format(100 * results.params.evaluate.confidence)
    remarks = [_WORLDS, *_harivo(results, own), _COLUMNS, intervals, *few(shown)]
    return Table(
        NAME, "Methods beside one another (Table 2)", columns, rows, _data(results.params, shown, printed), remarks
    )


def single_stage(params: Params, method: Method) -> bool | None:
    """Whether one network makes the clip; None for frames by themselves."""
    family = params.generate.models[method.model].family
    return None if _of_frames(family, method) else family != "cascade"


def frozen(params: Params, method: Method) -> bool | None:
    """Whether a text-to-image model below temporal layers stayed as it was; None for frames by themselves."""
    family = params.generate.models[method.model].family
    return None if _of_frames(family, method) else family == "stable_diffusion"


def _of_frames(family: str, method: Method) -> bool:
    return family == "stable_diffusion" and not method.options.get("motion")


def _printed(name: str, values: Mapping[str, Any]) -> list[Cell]:
    return row(
        Cell(f"{PAPER}{name}", note=values.get("note", "")),
        *(fixed(values.get(metric, float("nan")), _DIGITS[metric]) for metric in VALUES),
        Cell(),
        fixed(values.get("parameters", float("nan")) * _BILLION / _MILLION, 0),
        _word(values.get("single_stage")),
        _word(values.get("frozen")),
    )


def _measured(params: Params, name: str, method: Method, own: pd.DataFrame) -> list[Cell]:
    values = own.set_index("metric")
    size = values["value"].get(PARAMETERS.name, float("nan"))
    return row(
        Cell(name, note=_placeholder(params, method)),
        *(metric_cell(values, metric) for metric in VALUES),
        clips_cell(own.iloc[0]),
        fixed(size / _MILLION, 2),
        _word(single_stage(params, method)),
        _word(frozen(params, method)),
    )


def _word(value: bool | None) -> Cell:
    return Cell() if value is None else Cell("yes" if value else "no")


def _placeholder(params: Params, method: Method) -> str:
    """What a row says whose temporal layers were trained for less than the longest, while harivo.remark stands."""
    training = training_of(params.train, method.options.get("motion") or "")
    if not (params.harivo.remark and isinstance(training, MotionTraining)):
        return ""
    others = [one.schedule.steps for one in params.train.values() if isinstance(one, MotionTraining)]
    steps, batch = training.schedule.steps, training.spec.batch
    return f"A placeholder: {steps:,} steps of {batch} videos." if steps < max(others) else ""


def _harivo(results: Results, own: pd.DataFrame) -> list[str]:
    """Why methods of HARIVO are not to be compared; nothing if they are."""
    return [said for said in not_compared(results, own) if said.startswith("HARIVO")]


def _data(params: Params, shown: pd.DataFrame, printed: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """A row for each value, of the paper and of this run, in the units of the metrics."""
    about = [
        {"source": "this run", "single_stage": single_stage(params, method), "frozen": frozen(params, method)}
        for method in (params.generate.methods[name] for name in shown.method)
    ]
    units = {PARAMETERS.name: _BILLION}
    theirs = [
        {"source": "paper", "method": name, "single_stage": values.get("single_stage"), "frozen": values.get("frozen")}
        | {"metric": metric, "value": values[metric] * units.get(metric, 1)}
        for name, values in printed.items()
        for metric in (PARAMETERS.name, *VALUES)
        if metric in values
    ]
    ours = [one | of for one, of in zip(about, shown.to_dict("records"), strict=True)]
    return pd.DataFrame([*theirs, *ours])
