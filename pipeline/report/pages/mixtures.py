"""The run's mixtures along their interpolation, like RichSpace's Figure 3, and which kinds of mixtures were shown."""

from typing import Any

import pandas as pd

from pipeline.clips.files import SUFFIX
from pipeline.prompts.sets import Mixture
from pipeline.report import plots
from pipeline.report.page import Content, Page
from pipeline.report.results import Results
from pipeline.report.strips import Card, Shot
from pipeline.report.table import Cell, Column, Table, row
from pipeline.richspace.optima import search_key, strip_steps

PART_NAMES = "abc"
COUNTS = "Clips that show the mixture, of those requested."


def build(results: Results) -> Content:
    """Success rates, successes by kind of mixture, and a card for every mixture, grouped by kind."""
    shown = [mixture for mixture in results.generated if results.optimum(mixture) is not None]
    if not shown:
        return Content({"k": results.k}, missing=["This run has no mixtures."])
    judged = results.verdicts[results.verdicts.mixture.isin([mixture.id for mixture in shown])]
    kinds = dict.fromkeys(map(kind, shown))
    cards = {name: [card(results, mixture) for mixture in shown if kind(mixture) == name] for name in kinds}
    figures = {f"curve-{mixture.name}": curve(results, mixture) for mixture in shown}
    tables = [_by_kind(shown, judged), _by_mixture(results, shown, judged)] if len(judged) else []
    if tables:
        figures["success"] = plots.rates(results.metrics, "success_rate", "clips that show the mixture")
    missing = [] if tables else ["The judge knows the toy world's mixtures only: none of this run was judged."]
    return Content({"k": results.k, "labels": results.params.evaluate.labels}, tables, figures, cards, missing)


def kind(mixture: Mixture) -> str:
    """The attributes that a mixture mixes, as a reader sees them."""
    return mixture.extra.get("attributes", "").replace(" ", " + ") or "any attribute"


def card(results: Results, mixture: Mixture) -> Card:
    """Clips of one initial noise along the interpolation, beside the guide prompt's clip."""
    optimum = int(results.optimum(mixture).step)
    wanted, name = results.params.report, f"{mixture.name}-s0"
    shots = [
        _shot(results, f"step {i}", wanted.strip, f"{name}-i{i}", i == optimum) for i in strip_steps(optimum, results.k)
    ]
    shots.append(_shot(results, "guide prompt", wanted.guide, name, False))
    own = results.verdicts[results.verdicts.mixture == mixture.id]
    facts = [f"Shown by {_counts(own)}."] if len(own) else []
    return Card(results.prompts[mixture.guide].text, shots, parts(results, mixture), facts, f"curve-{mixture.name}")


def parts(results: Results, mixture: Mixture) -> list[tuple[str, str]]:
    """Name and text of each part."""
    return list(zip(PART_NAMES, [results.prompts[part].text for part in mixture.parts], strict=False))


def curve(results: Results, mixture: Mixture) -> str:
    """The similarity curve of a searched mixture, with our step and the paper's."""
    published = mixture.extra.get("paper_step")
    similarity = results.curves[search_key(mixture.id, results.k)]
    return plots.curve(similarity, int(results.optimum(mixture).step), int(published) if published else None)


def _shot(results: Results, label: str, method: str, clip: str, optimal: bool) -> Shot:
    generate = results.params.generate
    fps = generate.models[generate.methods[method].model].fps
    return Shot(label, method, generate.folder(method) / f"{clip}{SUFFIX}", fps, optimal)


def _counts(verdicts: pd.DataFrame) -> str:
    """`richspace 6/16, cogvideox 0/16`."""
    return ", ".join(f"{method} {_fraction(group)}" for method, group in verdicts.groupby("method", sort=False))


def _fraction(verdicts: pd.DataFrame) -> str:
    return f"{int(verdicts.success.sum())}/{len(verdicts)}"


def _by_kind(shown: list[Mixture], verdicts: pd.DataFrame) -> Table:
    """One row per kind of mixture, one column per method."""
    kinds = {mixture.id: kind(mixture) for mixture in shown}
    own = verdicts.assign(kind=verdicts.mixture.map(kinds))
    data = own.groupby(["kind", "method"], sort=False).success.agg(successes="sum", clips="count").reset_index()
    rows = [row(name, *_cells(own[own.kind == name], own)) for name in dict.fromkeys(kinds.values())]
    columns = [Column("What is mixed", numeric=False), *_methods(own)]
    return Table("mixtures_by_attribute", "Successes by kind of mixture", columns, rows, data, [COUNTS])


def _by_mixture(results: Results, shown: list[Mixture], verdicts: pd.DataFrame) -> Table:
    """One row per mixture: its kind, the optimal step at k, and the successes of each method."""
    about = pd.DataFrame([_about(results, mixture) for mixture in shown])
    counts = verdicts.groupby(["mixture", "method"], sort=False).success.agg(successes="sum", clips="count")
    rows = [
        row(mixture.name, kind(mixture), str(one["step"]), *_cells(verdicts[verdicts.mixture == mixture.id], verdicts))
        for mixture, one in zip(shown, about.to_dict("records"), strict=True)
    ]
    titles = [Column("Mixture", numeric=False), Column("Mixes", numeric=False), Column(f"Step of {results.k}")]
    data = about.merge(counts.reset_index(), on="mixture")
    return Table("mixtures", "Successes by mixture", [*titles, *_methods(verdicts)], rows, data, [COUNTS])


def _about(results: Results, mixture: Mixture) -> dict[str, Any]:
    optimum = results.optimum(mixture)
    guide = results.prompts[mixture.guide].text
    return {
        "mixture": mixture.id,
        "kind": kind(mixture),
        "guide": guide,
        "step": int(optimum.step),
        "weight": optimum.weight,
    }


def _methods(verdicts: pd.DataFrame) -> list[Column]:
    return [Column(method) for method in dict.fromkeys(verdicts.method)]


def _cells(own: pd.DataFrame, everything: pd.DataFrame) -> list[Cell]:
    groups = {method: Cell(_fraction(group)) for method, group in own.groupby("method")}
    return [groups.get(method, Cell()) for method in dict.fromkeys(everything.method)]


PAGE = Page(
    "mixtures",
    "Mixtures",
    "The run's mixtures along their interpolation, and which kinds each method shows.",
    build,
    of_run=True,
)
