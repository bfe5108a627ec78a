"""HARIVO's sweeps: α of the mitigating gradient while sampling, and the weights λ of the losses in training."""

from collections.abc import Mapping

import pandas as pd

from pipeline.report import plots
from pipeline.report.metric_tables import cell_text, metric_column
from pipeline.report.page import Content, Page
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row
from pipeline.sweeps import tables as sweeps
from pipeline.world.attributes import ATTRIBUTES, AVERAGE

SWEPT = {"mg_scale": "α", "lambda_trs": "λ_TRS", "lambda_reg": "λ_reg", "lambda_dc": "λ_DC"}
_GRID = "lambda_grid"
_SHOWN = (AVERAGE, *ATTRIBUTES, "roughness", "object_speed")


def build(results: Results) -> Content:
    """A plot and a table of each sweep, and the grid of each λ off and on."""
    wanted = results.params.harivo.sweep
    by_sweep = _by_sweep(results)
    tables = [_table(name, points, wanted.remark) for name, points in by_sweep.items()]
    swept = {key: title for key, title in SWEPT.items() if key in by_sweep}
    figures = {f"sweep-{key}": plots.sweep(by_sweep[key], key, title) for key, title in swept.items()}
    missing = [] if swept else ["No point of a sweep has a result."]
    return Content({"swept": swept, "wanted": wanted}, tables, figures, missing=missing)


def _by_sweep(results: Results) -> dict[str, pd.DataFrame]:
    """The points of each sweep that has any."""
    if not len(results.sweeps):
        return {}
    by_sweep = sweeps.sweeps(results.sweeps, sweeps.base_of(results.params))
    return {name: points for name, points in by_sweep.items() if len(points)}


def _table(name: str, points: pd.DataFrame, remark: str | None) -> Table:
    parameters = {key: SWEPT[key] for key in (sweeps.LAMBDAS if name == _GRID else (name,))}
    shown = [metric for metric in _SHOWN if metric in points]
    columns = [*(Column(title, numeric=False) for title in parameters.values()), *map(metric_column, shown)]
    rows = [
        row(*(f"{point[key]:g}" for key in parameters), *(_cell(point, metric) for metric in shown))
        for point in points.to_dict("records")
    ]
    caption = "Each λ off and on" if name == _GRID else f"Sweep of {SWEPT[name]}"
    return Table(f"harivo_sweep_{name}", caption, columns, rows, points, [remark] if remark else [])


def _cell(point: Mapping[str, float], metric: str) -> Cell:
    return Cell(cell_text(metric, point[metric], point[f"{metric}_low"], point[f"{metric}_high"]))


PAGE = Page("sweeps", "Sweeps", "HARIVO's α and λ: what each value does to the clips.", build)
