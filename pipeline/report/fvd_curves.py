"""FVD against the number of clips, as plots and as tables."""

from collections.abc import Mapping

import pandas as pd

from pipeline.report import metric_tables, plots
from pipeline.report.results import Results
from pipeline.report.table import Table


def curves(results: Results, groups: Mapping[str, pd.DataFrame]) -> tuple[dict[str, str], list[Table]]:
    """A plot and a table for each group of methods where FVD was measured at more than one number of clips.

    Args:
        groups: the metrics of methods, by the name of the group, which the template `fvd_by_clips` is given.
    """
    figures: dict[str, str] = {}
    tables: list[Table] = []
    for name, methods in groups.items():
        measured = results.of("fvd_by_clips", methods)
        if measured.n.nunique() > 1:
            figures[f"fvd-{name}"] = plots.fvd_by_clips(measured)
            tables.append(metric_tables.fvd_by_clips(results, methods, name))
    return figures, tables
