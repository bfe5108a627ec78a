"""RichSpace: what its step shows of what any step could, and its own 17 mixtures beside our optimal steps."""

import pandas as pd

from pipeline.prompts.sets import Mixture
from pipeline.report import bounds, choices, oracle, plots
from pipeline.report.formatting import fixed
from pipeline.report.page import Content, Page
from pipeline.report.pages.mixtures import curve, parts
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row


def build(results: Results) -> Content:
    """What any step shows, the table of steps, a similarity curve for each of the paper's mixtures, and the steps by k
    of all mixtures."""
    tests = results.evaluation["success_tests"]
    published = sorted(results.published, key=lambda mixture: int(mixture.extra["figure"]))
    context = {
        "tests": tests,
        "family": results.family("success_tests"),
        "k": results.k,
        "encoder": results.encoder,
        "curves": [],
        "oracle": oracle.summary(results),
        "choices": choices.summary(results),
    }
    shown = oracle.tables(results)
    tables = [*shown, *choices.tables(results), *bounds.tables(results)]
    figures = {"oracle": plots.by_step(results.oracle_steps)} if shown else {}
    missing = [] if tests else ["No two methods of this run were compared on mixtures that the judge knows."]
    missing += [] if shown else ["No step of the interpolation but the optimum was judged (richspace.oracle)."]
    if not published:
        missing.append("The paper's mixtures (prompt set richspace) are not in this run.")
        return Content(context, tables, figures, missing=missing)
    figures |= {f"curve-{mixture.name}": curve(results, mixture) for mixture in published}
    context["curves"] = [_about(results, mixture) for mixture in published]
    return Content(context, [*tables, _steps(results, published), _steps_by_k(results)], figures, missing=missing)


def _about(results: Results, mixture: Mixture) -> dict[str, object]:
    guide = ("guide", results.prompts[mixture.guide].text)
    figure = mixture.extra["figure"]
    return {"name": mixture.name, "figure": figure, "texts": [*parts(results, mixture), guide]}


def _steps(results: Results, published: list[Mixture]) -> Table:
    """One row per mixture of the paper, at the paper's k."""
    data = pd.DataFrame([_step(results, mixture) for mixture in published])
    columns = [
        Column("Mixture", numeric=False),
        Column("Our step"),
        Column("Paper's step"),
        Column("Difference"),
        Column("Continuous optimum"),
        Column("Outcome in the paper", numeric=False),
        Column("Figure"),
    ]
    rows = [
        row(
            Cell(one.mixture, note=one.note),
            str(one.step),
            str(one.paper_step),
            f"{one.difference:+d}".replace("-", "−"),
            fixed(one.continuous_step, 1),
            one.outcome,
            str(one.figure),
        )
        for one in data.itertuples()
    ]
    remarks = [f"Steps of k = {results.k}; text encoder: {results.encoder}, the paper's is T5-XXL."]
    return Table("richspace_steps", "The paper's 17 mixtures", columns, rows, data, remarks)


def _step(results: Results, mixture: Mixture) -> dict[str, object]:
    optimum, extra = results.optimum(mixture), mixture.extra
    published = int(extra["paper_step"])
    return {
        "figure": int(extra["figure"]),
        "mixture": mixture.name,
        "outcome": extra["outcome"],
        "paper_step": published,
        "step": int(optimum.step),
        "difference": int(optimum.step) - published,
        "continuous_step": round(float(optimum.continuous_weight) * results.k, 2),
        "k": results.k,
        "encoder": results.encoder,
        "note": extra.get("note", ""),
    }


def _steps_by_k(results: Results) -> Table:
    """The optimal weight of every searched mixture for every k, and the continuous optimum."""
    optima = results.optima
    sizes = sorted(optima.k.unique())
    weights = optima.pivot(index="mixture", columns="k", values="weight")
    limits = optima.groupby("mixture").continuous_weight.first()
    rows = [
        row(name, *(fixed(weights.loc[name, k], 3) for k in sizes), fixed(limits[name], 3))
        for name in dict.fromkeys(optima.mixture)
    ]
    columns = [Column("Mixture", numeric=False), *(Column(f"k = {k}") for k in sizes), Column("k → ∞")]
    return Table("steps_by_k", "Optimal weight of part a (step / k) by k", columns, rows, optima)


PAGE = Page(
    "paper_richspace",
    "RichSpace",
    "What RichSpace's step shows of what any step could, and its 17 mixtures beside the printed steps.",
    build,
    of_run=True,
)
