"""Every method by every metric, and FVD against the number of clips."""

from pipeline.report import metric_tables, plots
from pipeline.report.page import Content, Page
from pipeline.report.results import Results
from pipeline.report.run import made
from pipeline.report.table import Table

_CAPTIONS = {
    "mixtures": "Methods asked for mixtures, and imported videos",
    "prompts": "Methods asked for prompts, from the same noise",
}
_MISSING = {
    "mixtures": "No method of this run was asked for mixtures, and no videos were imported.",
    "prompts": "No method of this run was asked for prompts.",
}


def build(results: Results) -> Content:
    """The comparison of each group of methods, with FVD by clips and every metric over seeds where they were
    measured."""
    groups = {"mixtures": results.mixed, "prompts": results.prompted}
    present = {name: methods for name, methods in groups.items() if len(methods)}
    tables: list[Table] = []
    figures: dict[str, str] = {}
    for name, methods in present.items():
        tables.append(metric_tables.comparison(results, methods, name, _CAPTIONS[name]))
        by_clips = results.of("fvd_by_clips", methods)
        if by_clips.n.nunique() > 1:
            figures[f"fvd-{name}"] = plots.fvd_by_clips(by_clips)
            tables.append(metric_tables.fvd_by_clips(results, methods, name))
        over_seeds = metric_tables.over_seeds(results, methods, name)
        tables += [over_seeds] if over_seeds.rows else []
    if len(results.comparisons["differences"]):
        tables.append(metric_tables.differences(results))
    missing = [text for name, text in _MISSING.items() if name not in present]
    return Content({"made": made(results.params)}, tables, figures, missing=missing)


PAGE = Page(
    "methods",
    "Methods",
    "Every method by every metric, differences on the same clips, FVD by clips.",
    build,
    of_run=True,
)
