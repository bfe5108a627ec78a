"""Every method by every metric, and FVD against the number of clips."""

import pandas as pd

from pipeline.evaluation.catalogue import METRICS
from pipeline.report import fvd_curves, metric_tables
from pipeline.report.page import Content, Page
from pipeline.report.results import Results
from pipeline.report.run import made

_CAPTIONS = {
    "mixtures": "Methods asked for mixtures, and imported videos",
    "prompts": "Methods asked for prompts, from the same noise",
}
_MISSING = {
    "mixtures": "No method of this run was asked for mixtures, and no videos were imported.",
    "prompts": "No method of this run was asked for prompts.",
}

_OF_WORLD = (
    "{0} compares with reference clips of the toy world whose prompts are not mixtures. A method that shows mixtures "
    "must differ from them, so here {0} measures closeness to ordinary clips, not success."
)


def build(results: Results) -> Content:
    """The comparison of each group of methods, with FVD by clips and every metric over seeds where they were
    measured."""
    groups = {"mixtures": results.mixed, "prompts": results.prompted}
    present = {name: methods for name, methods in groups.items() if len(methods)}
    figures, tables = fvd_curves.curves(results, present)
    for name, methods in present.items():
        tables.append(metric_tables.comparison(results, methods, name, _CAPTIONS[name]))
        over_seeds = metric_tables.over_seeds(results, methods, name)
        tables += [over_seeds] if over_seeds.rows else []
    if len(results.comparisons["differences"]):
        tables.append(metric_tables.differences(results))
    missing = [text for name, text in _MISSING.items() if name not in present]
    context = {
        "made": made(results.params),
        "notes": {name: _notes(results, methods) for name, methods in present.items()},
        "judged": bool(results.judged & set(results.prompted.method)),
    }
    return Content(context, tables, figures, missing=missing)


def _notes(results: Results, methods: pd.DataFrame) -> str:
    """What a reader must know of the metrics that these methods have."""
    measured, mixed = metric_tables.present(methods), "mixtures" in set(methods.asked)
    real = [METRICS[metric].label for metric in measured if METRICS[metric].needs == "real"]
    notes = [_compared_with(results, real[0], mixed)] if real else []
    notes += ["KVD has no bias from few clips."] if mixed and "kvd" in measured else []
    notes += ["CLIPSIM is scored against the guide prompt."] if mixed and "clipsim" in measured else []
    distances = [METRICS[name].label for name in ("fvd", "kvd") if name in measured]
    if mixed and distances:
        notes.append(f"The intervals of {' and '.join(distances)} are for the value expected at this number of clips.")
    return " ".join(filter(None, notes))


def _compared_with(results: Results, metric: str, mixed: bool) -> str:
    """The real side, by the metric that stands first."""
    reference = results.params.evaluate.reference
    if reference is not None:
        return f"{metric} compares with {reference} (evaluate.reference)."
    return _OF_WORLD.format(metric) if mixed else ""


PAGE = Page(
    "methods",
    "Methods",
    "Every method by every metric, differences on the same clips, FVD by clips.",
    build,
    of_run=True,
)
