"""Everything that earlier stages wrote and the report shows, read once."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.config import paths
from pipeline.config.params import Evaluate, Params
from pipeline.prompts.sets import Mixture, Prompt, spread
from pipeline.prompts.tables import read_tables
from pipeline.published import figures
from pipeline.published.manifest import Manifest
from pipeline.report.user_study.studies import Studies
from pipeline.richspace.optima import read_curves, read_optima
from pipeline.sweeps.etc_tables import read_larger
from pipeline.sweeps.tables import read as read_sweeps
from pipeline.sweeps.trial_tables import read as read_trials
from pipeline.world.attributes import AVERAGE

COMPARISONS = ("differences", "over_seeds", "fvd_by_clips", "leaders")


@dataclass(frozen=True)
class Results:
    """The result files.

    mixtures: of all sets; generated: those of them that the strip's or the guide's method was asked for. comparisons:
    differences, over_seeds, fvd_by_clips, leaders. optima: a row per mixture and k; curves: by `search_key`; both of
    `encoder`.
    etc: metrics of ETC's points, which stand for methods; etc_larger: point, metric, value, clips of those of Figure 6.
    make_a_video: metrics of Make-A-Video's points, which stand for methods; interpolation, extrapolation, consistency,
    passed_on: its parts alone.
    trials: a row for each of HARIVO's trials, trial_values: the same as metrics, training_seeds: its difference over
    trainings; no row without them. normality, mapping_effect, token_attention: HARIVO's Table A1, Figures A1 and 6b,
    attention_maps: ETC's Figure 11, attention, attention_sweep: its Table 3 and Figure 10; None where their stages have
    not run. oracle, oracle_steps: how often any step of RichSpace's interpolation shows a mixture, and each step; no
    rows without it. choices: what each part of its algorithm is worth by that. bounds: its theorem in numbers; None, or
    no row, where it was not measured.
    studies: what the votes of raters come to; None where the stage has not run.
    full_size: the same with the published figures in place of this run's, None where there are none; reproduced: this
    run's values beside them; manifests: what stands behind them.
    """

    params: Params
    prompts: dict[str, Prompt]
    mixtures: list[Mixture]
    generated: list[Mixture]
    metrics: pd.DataFrame
    verdicts: pd.DataFrame
    evaluation: dict[str, Any]
    comparisons: dict[str, pd.DataFrame]
    optima: pd.DataFrame
    curves: dict[str, dict[str, Any]]
    encoder: str
    sweeps: pd.DataFrame
    trials: pd.DataFrame
    trial_values: pd.DataFrame
    training_seeds: pd.DataFrame
    etc: pd.DataFrame
    etc_larger: pd.DataFrame
    make_a_video: pd.DataFrame
    interpolation: pd.DataFrame | None
    extrapolation: pd.DataFrame | None
    consistency: pd.DataFrame | None
    passed_on: pd.DataFrame | None
    normality: pd.DataFrame | None
    mapping_effect: pd.DataFrame | None
    token_attention: pd.DataFrame | None
    attention_maps: pd.DataFrame | None
    oracle: pd.DataFrame
    oracle_steps: pd.DataFrame
    choices: pd.DataFrame
    bounds: pd.DataFrame | None
    attention: pd.DataFrame | None
    attention_sweep: pd.DataFrame | None
    studies: Studies | None
    reproduced: pd.DataFrame
    manifests: list[Manifest]
    full_size: "Results | None" = None

    @classmethod
    def read(cls, params: Params) -> "Results":
        """Read the result files below data/.

        Raises:
            FileNotFoundError: if a stage that every run has was not run.
        """
        prompts, mixtures = read_tables(paths.PROMPTS, paths.MIXTURES)
        generate = params.generate
        strip = generate.methods[params.report.strip]
        guide = generate.methods[params.report.guide]
        encoder = generate.models[strip.model].encoder
        own = [mixture for mixture in mixtures if mixture.set == generate.set_of(strip)]
        found = cls(
            params=params,
            prompts=prompts,
            mixtures=mixtures,
            generated=spread(own, _longer(*(generate.limit_of(one, "mixtures") for one in (strip, guide)))),
            **_evaluated(params, paths.RESULTS),
            optima=read_optima(paths.search(encoder)),
            curves=read_curves(paths.search(encoder)),
            encoder=encoder,
            **_of_points(params),
            **_measured_once(),
            studies=Studies.read(params.evaluate.confidence),
            reproduced=_table(paths.REPRODUCED.stem).fillna({"metric": ""}),
            manifests=figures.manifests(params.published.methods),
        )
        return replace(found, full_size=found._with_figures() if found.manifests else None)

    def _with_figures(self) -> "Results":
        """With the parameters, too, that the figures were evaluated with."""
        made = _evaluated(self.params, paths.PUBLISHED_RESULTS)
        evaluate = Evaluate.model_validate(made["evaluation"]["evaluate"])
        return replace(self, params=self.params.model_copy(update={"evaluate": evaluate}), **made)

    @property
    def mixed(self) -> pd.DataFrame:
        """Metrics of the methods that were asked for mixtures, and of imported videos."""
        return self.metrics[self.metrics.asked != "prompts"]

    @property
    def prompted(self) -> pd.DataFrame:
        """Metrics of the methods that were asked for prompts."""
        return self.metrics[self.metrics.asked == "prompts"]

    @property
    def judged(self) -> set[str]:
        """The methods whose clips the judge scored by HARIVO's attributes."""
        return set(self.metrics[self.metrics.metric == AVERAGE].method)

    def attribute_tests(self, candidates: set[str]) -> list[dict[str, Any]]:
        """The paired tests of the attributes' average whose candidate is one of these methods."""
        return [test for test in self.evaluation["attribute_tests"] if test["candidate"] in candidates]

    def family(self, kind: str) -> str:
        """What the corrected p of a kind of tests is corrected for."""
        return self.evaluation["families"][kind]

    @property
    def drawn(self) -> str:
        """What intervals draw and tests flip, in the plural."""
        return "prompts" if self.params.evaluate.cluster == "prompt" else "clips"

    @property
    def k(self) -> int:
        """The k whose optimum was generated."""
        return self.params.search.default_k

    @property
    def published(self) -> list[Mixture]:
        """The mixtures with a step printed by RichSpace's paper that were searched."""
        searched = set(self.optima.mixture)
        return [mixture for mixture in self.mixtures if mixture.extra.get("paper_step") and mixture.id in searched]

    def optimum(self, mixture: Mixture) -> pd.Series | None:
        """The row of `optima` at k; None if the mixture was not searched."""
        own = self.optima[(self.optima.mixture == mixture.id) & (self.optima.k == self.k)]
        return own.iloc[0] if len(own) else None

    def of(self, name: str, methods: pd.DataFrame) -> pd.DataFrame:
        """The rows of a comparison that belong to the methods in a table of metrics."""
        table = self.comparisons[name]
        return table[table.method.isin(methods.method)]


def _of_points(params: Params) -> dict[str, pd.DataFrame]:
    """What was measured of points and trials, and of the steps of RichSpace's interpolation."""
    return {
        "sweeps": read_sweeps(params),
        "trials": read_trials(params),
        "trial_values": _table(paths.TRIALS.stem),
        "training_seeds": _table(paths.TRAINING_SEEDS.stem),
        "etc": _table(paths.ETC_POINTS.stem),
        "etc_larger": read_larger(params),
        "make_a_video": _table(paths.CASCADE_POINTS.stem),
        "oracle": _table(paths.ORACLE_TABLE.stem),
        "oracle_steps": _table(paths.ORACLE_STEPS.stem),
        "choices": _table(paths.CHOICES_TABLE.stem),
    }


def _measured_once() -> dict[str, pd.DataFrame | None]:
    """The tables of stages that a run may be without."""
    return {
        "interpolation": _optional(paths.INTERPOLATION),
        "extrapolation": _optional(paths.EXTRAPOLATION),
        "consistency": _optional(paths.CONSISTENCY),
        "passed_on": _optional(paths.PASSED_ON),
        "normality": _optional(paths.NORMALITY),
        "mapping_effect": _optional(paths.MAPPING_EFFECT),
        "token_attention": _optional(paths.TOKEN_ATTENTION),
        "attention_maps": _optional(paths.ATTENTION_MAPS),
        "bounds": _optional(paths.BOUNDS_TABLE),
        "attention": _optional(paths.ATTENTION_TABLE),
        "attention_sweep": _optional(paths.ATTENTION_SWEEP),
    }


def _evaluated(params: Params, folder: Path) -> dict[str, Any]:
    """What `pipeline.evaluation.results.write` left in a folder."""
    evaluation = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    return {
        "metrics": _table("metrics", folder),
        "verdicts": _table("verdicts", folder),
        "evaluation": evaluation | {"attribute_tests": _comparable(params, evaluation["attribute_tests"])},
        "comparisons": {name: _compared(params, name, folder) for name in COMPARISONS},
    }


def _comparable(params: Params, pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pairs of methods that a reader may compare: where harivo.remark says that the ablation is not to be compared,
    without its own."""
    return [pair for pair in pairs if not {pair["candidate"], pair["baseline"]} <= params.harivo.not_compared]


def _compared(params: Params, name: str, folder: Path) -> pd.DataFrame:
    """A table of comparisons, without those of an ablation that is not to be compared."""
    table = _table(name, folder)
    if name == "leaders" and params.harivo.not_compared:
        return table[~table.table.isin(["ablation", "prompts"])]
    if name == "differences":
        return pd.DataFrame(_comparable(params, table.to_dict("records")), columns=table.columns)
    return table


def _table(name: str, folder: Path = paths.RESULTS) -> pd.DataFrame:
    text = dict.fromkeys(("method", "candidate", "baseline", "best", "second", "metric", "flag"), str)
    table = pd.read_csv(folder / f"{name}.csv", dtype=text)
    return table.fillna({"flag": ""}) if "flag" in table else table


def _optional(path: Path) -> pd.DataFrame | None:
    return pd.read_csv(path) if path.is_file() else None


def _longer(one: int | None, other: int | None) -> int | None:
    """The greater limit; None is none. A strip costs several clips a mixture, so it may have fewer than the guide."""
    return None if one is None or other is None else max(one, other)
