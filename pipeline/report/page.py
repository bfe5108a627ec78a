"""Gathers the results into what the page shows, and writes reports/."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import plotly
from jinja2 import Environment, PackageLoader

from metrics.reading.video import read_all
from pipeline.clips.files import SUFFIX
from pipeline.config import paths
from pipeline.config.params import Params
from pipeline.harivo import sweeps
from pipeline.prompts.sets import Mixture, Prompt
from pipeline.prompts.tables import read_tables
from pipeline.report import harivo, plots, tables
from pipeline.report.run import about_run
from pipeline.report.strips import write_picture
from pipeline.richspace.optima import read_curves, read_optima, search_key, strip_steps

COMPARISONS = ("differences", "fvd_by_seed", "fvd_by_clips")


@dataclass(frozen=True)
class Results:
    """Everything that earlier stages wrote and the page shows."""

    params: Params
    prompts: dict[str, Prompt]
    mixtures: list[Mixture]
    metrics: pd.DataFrame
    verdicts: pd.DataFrame
    evaluation: dict[str, Any]
    sweeps: pd.DataFrame
    comparisons: dict[str, pd.DataFrame]  # differences, fvd_by_seed, fvd_by_clips
    optima: pd.DataFrame
    curves: dict[str, dict[str, Any]]
    encoder: str
    world: list[Mixture]  # those that were generated

    @classmethod
    def read(cls, params: Params) -> "Results":
        """Read the result files below data/."""
        prompts, mixtures = read_tables(paths.PROMPTS, paths.MIXTURES)
        generate = params.generate
        strip = generate.methods[params.report.strip]
        encoder = generate.models[strip.model].encoder
        return cls(
            params=params,
            prompts=prompts,
            mixtures=mixtures,
            metrics=pd.read_csv(paths.RESULTS / "metrics.csv", dtype={"method": str}).fillna({"flag": ""}),
            verdicts=pd.read_csv(paths.RESULTS / "verdicts.csv", dtype={"method": str}),
            evaluation=json.loads((paths.RESULTS / "evaluation.json").read_text()),
            sweeps=sweeps.read(paths.SWEEPS, params.harivo.sweep.points),
            comparisons={name: pd.read_csv(paths.RESULTS / f"{name}.csv") for name in COMPARISONS},
            optima=read_optima(paths.search(encoder)),
            curves=read_curves(paths.search(encoder)),
            encoder=encoder,
            world=[m for m in mixtures if m.set == generate.set_of(strip)][: generate.limit_of(strip, "mixtures")],
        )

    @property
    def mixed(self) -> pd.DataFrame:
        """The metrics of the methods that were asked for mixtures, and of videos of others; those that were asked for
        prompts have their own part."""
        return self.metrics[self.metrics.asked != "prompts"]

    @property
    def k(self) -> int:
        """The k whose optimum was generated."""
        return self.params.search.default_k

    @property
    def paper(self) -> list[Mixture]:
        """The paper's mixtures: those with a published step."""
        return [mixture for mixture in self.mixtures if mixture.extra.get("paper_step")]

    def step(self, mixture: Mixture) -> int:
        """Our optimal step at k."""
        found = self.optima[(self.optima.mixture == mixture.id) & (self.optima.k == self.k)]
        return int(found.step.iloc[0])


def write_report(results: Results, folder: Path) -> Path:
    """Write the whole report into `folder`, replacing what is there; returns the page's path."""
    if folder.exists():
        shutil.rmtree(folder)
    frames = _tables(results)
    for name, table in frames.items():
        tables.write(table, folder / "tables", name)
    shutil.copyfile(_plotly_script(), _ensure(folder / "assets") / "plotly.min.js")
    environment = Environment(
        loader=PackageLoader("pipeline.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template("index.html.j2").render(
        title=results.params.report.title,
        run=about_run(results.params, results.encoder),
        metrics=tables.METRICS,
        shown={name: label for name, label in tables.METRICS.items() if name in set(results.mixed.metric)},
        tables=frames,
        methods=_method_rows(results),
        success_tests=results.evaluation["success_tests"],
        attribute_tests=results.evaluation["attribute_tests"],
        harivo=harivo.section(results.params, results.metrics, frames, results.comparisons["fvd_by_clips"], folder),
        protocols=results.evaluation["protocols"],
        confidence=results.params.evaluate.confidence,
        k=results.k,
        success_plot=plots.success(results.metrics),
        fvd_plot=plots.fvd_by_clips(_of_mixed(results, "fvd_by_clips")),
        world=[_mixture_card(results, mixture, folder) for mixture in results.world],
        paper=[_curve_card(results, mixture) for mixture in results.paper if mixture.id in set(results.optima.mixture)],
        training=_training_cards(),
    )
    (folder / "index.html").write_text(page, encoding="utf-8")
    return folder / "index.html"


def _of_mixed(results: Results, name: str) -> pd.DataFrame:
    table = results.comparisons[name]
    return table[table.method.isin(results.mixed.method)]


def _ensure(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _plotly_script() -> Path:
    return Path(str(plotly.__file__)).parent / "package_data" / "plotly.min.js"


def _tables(results: Results) -> dict[str, pd.DataFrame]:
    frames = {
        "comparison": tables.comparison(results.metrics),
        **{name: table for name, table in results.comparisons.items() if len(table)},
        "steps_by_k": tables.steps_by_k(results.optima),
        **harivo.tables(results.params, results.metrics, results.sweeps),
    }
    if len(results.verdicts):
        frames["mixtures"] = tables.mixtures(
            results.world, results.prompts, results.optima, results.verdicts, results.k
        )
        frames["mixtures_by_attribute"] = tables.by_attribute(results.world, results.verdicts)
    searched = [mixture for mixture in results.paper if mixture.id in set(results.optima.mixture)]
    if searched:
        frames["richspace_steps"] = tables.richspace_steps(searched, results.optima, results.encoder, results.k)
    return frames


def _method_rows(results: Results) -> list[dict[str, Any]]:
    """One row per method that was asked for mixtures: {metric: Value-like dict}, for the comparison table."""
    return [
        {"name": method, "counts": own.iloc[0], "values": {row.metric: row for row in own.itertuples()}}
        for method, own in results.mixed.groupby("method", sort=False)
    ]


def _mixture_card(results: Results, mixture: Mixture, folder: Path) -> dict[str, Any]:
    """A strip like the paper's Figure 3: clips along the interpolation, beside the guide prompt's clip."""
    wanted, step = results.params.report, results.step(mixture)
    generate = results.params.generate
    model = generate.models[generate.methods[wanted.strip].model]
    frames = [(f"i = {i}", wanted.strip, f"{mixture.name}-s0-i{i}", i == step) for i in strip_steps(step, results.k)]
    frames.append(("guide prompt", wanted.guide, f"{mixture.name}-s0", False))
    clips = []
    for label, method, clip, optimal in frames:
        source = generate.folder(method) / f"{clip}{SUFFIX}"
        target = Path("clips") / f"{method}-{clip}.webp"
        if source.is_file():
            write_picture(read_all(source), folder / target, model.fps)
        clips.append({"label": label, "src": target.as_posix() if source.is_file() else None, "optimal": optimal})
    own = results.verdicts[results.verdicts.mixture == mixture.id]
    counts = [(m, int(v.success.sum()), len(v)) for m, v in own.groupby("method", sort=False)]
    return {
        "name": mixture.name,
        "parts": list(zip(tables.PART_NAMES, [results.prompts[p].text for p in mixture.parts], strict=False)),
        "guide": results.prompts[mixture.guide].text,
        "attributes": mixture.extra.get("attributes", "").replace(" ", " + "),
        "clips": clips,
        "counts": counts,
        **_curve(results, mixture),
    }


def _curve_card(results: Results, mixture: Mixture) -> dict[str, Any]:
    return {
        "name": mixture.name,
        "figure": mixture.extra.get("figure", ""),
        "parts": list(zip(tables.PART_NAMES, [results.prompts[p].text for p in mixture.parts], strict=False)),
        "guide": results.prompts[mixture.guide].text,
        "note": mixture.extra.get("note", ""),
        **_curve(results, mixture),
    }


def _curve(results: Results, mixture: Mixture) -> dict[str, Any]:
    step = results.step(mixture)
    published = mixture.extra.get("paper_step")
    similarity = results.curves[search_key(mixture.id, results.k)]
    return {"step": step, "plot": plots.curve(similarity, step, int(published) if published else None)}


def _training_cards() -> list[dict[str, Any]]:
    """Loss curve and last validation of every shipped model."""
    cards = []
    for path in sorted(paths.WORLD_MODELS.glob("*/history.csv")):
        history = pd.read_csv(path)
        curves = [name for name in history if name in ("lr", "grad_norm") or name.startswith("loss")]
        last = history.drop(columns=curves).dropna().iloc[-1]
        cards.append(
            {
                "name": path.parent.name,
                "steps": int(history.step.max()),
                "validation": {key: float(value) for key, value in last.items() if key != "step"},
                "plot": plots.training(history),
            }
        )
    return cards
