"""HARIVO's sweeps: α of the mitigating gradient while sampling, and the weights λ of the losses in training."""

from collections.abc import Mapping

import pandas as pd

from pipeline.evaluation.catalogue import METRICS
from pipeline.harivo import sweeps
from pipeline.report import plots
from pipeline.report.formatting import interval
from pipeline.report.metric_tables import cell_text, metric_column
from pipeline.report.page import Content, Page
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row
from pipeline.world.attributes import ATTRIBUTES, AVERAGE

SWEPT = {"mg_scale": "α", "lambda_trs": "λ_TRS", "lambda_reg": "λ_reg", "lambda_dc": "λ_DC"}
_GRID = "lambda_grid"
_MEASURED = {"roughness": ("Roughness", "px"), "speed": ("Speed", "px a frame")}  # beside those of the catalogue
_SHOWN = (AVERAGE, *ATTRIBUTES, *_MEASURED)


def build(results: Results) -> Content:
    """A plot and a table of each sweep, and the grid of each λ off and on."""
    wanted = results.params.harivo.sweep
    found = _found(results)
    tables = [_table(name, own) for name, own in found.items()]
    swept = {key: title for key, title in SWEPT.items() if key in found}
    figures = {f"sweep-{key}": plots.sweep(found[key], key, title) for key, title in swept.items()}
    missing = [] if swept else ["No point of a sweep has a result."]
    return Content({"swept": swept, "wanted": wanted}, tables, figures, missing=missing)


def _found(results: Results) -> dict[str, pd.DataFrame]:
    """The points of each sweep that has any."""
    if not len(results.sweeps):
        return {}
    spec = results.params.train[results.params.harivo.sweep.training].spec
    base = {key: getattr(spec, key) for key in sweeps.LAMBDAS}
    return {name: own for name, own in sweeps.sweeps(results.sweeps, base).items() if len(own)}


def _table(name: str, points: pd.DataFrame) -> Table:
    parameters = {key: SWEPT[key] for key in (sweeps.LAMBDAS if name == _GRID else (name,))}
    columns = [*(Column(title, numeric=False) for title in parameters.values()), *map(_column, _SHOWN)]
    rows = [
        row(*(f"{point[key]:g}" for key in parameters), *(_cell(point, metric) for metric in _SHOWN))
        for point in points.to_dict("records")
    ]
    caption = "Each λ off and on" if name == _GRID else f"Sweep of {SWEPT[name]}"
    return Table(f"harivo_sweep_{name}", caption, columns, rows, data=points)


def _column(metric: str) -> Column:
    return metric_column(metric) if metric in METRICS else Column(*_MEASURED[metric])


def _cell(point: Mapping[str, float], metric: str) -> Cell:
    values = point[metric], point[f"{metric}_low"], point[f"{metric}_high"]
    return Cell(cell_text(metric, *values) if metric in METRICS else interval(*values, 2))


PAGE = Page("sweeps", "Sweeps", "HARIVO's α and λ: what each value does to the clips.", build)
