"""All methods' features -> the tables of results. What a method or a comparison depends on is hashed, and computed only
if that has changed."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from metrics.scoring.measured import Measured
from metrics.scoring.metric import Metric
from metrics.statistics.bootstrap import Uncertainty
from pipeline.config.code import CARRIES_NO_RESULT, code_hash
from pipeline.config.params import Evaluate as Wanted
from pipeline.evaluation import attributes, comparisons, curves, leaders, mixtures, seeds, values
from pipeline.evaluation.cache import ResultCache
from pipeline.evaluation.evaluated import Evaluated
from pipeline.evaluation.files import Reference
from pipeline.evaluation.labels import Labels
from pipeline.evaluation.sample import MethodSample, prompts_of
from pipeline.prompts.sets import Mixture, Prompt

_GIVEN = (*CARRIES_NO_RESULT, "pipeline.prompts")  # what these make enters by value
_COLUMNS = {
    "metrics": values.COLUMNS,
    "attributes": attributes.COLUMNS,
    "by_seed": seeds.VALUE_COLUMNS,
    "over_seeds": seeds.COLUMNS,
    "fvd_by_clips": curves.CURVE_COLUMNS,
}
Computed = dict[str, Any]
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Evaluation:
    """What methods are evaluated against, and how. reference: the real side; None where no metric wants one.
    prompts: by id. mixtures: of all sets; the world's are judged. labels: in the judge's place."""

    reference: Reference | None
    prompts: dict[str, Prompt]
    mixtures: Sequence[Mixture]
    wanted: Wanted
    cache: ResultCache
    labels: Labels | None = None

    @property
    def uncertainty(self) -> Uncertainty:
        """How intervals are made."""
        return Uncertainty(self.wanted.resamples, self.wanted.confidence, self.wanted.seed)

    def tables(
        self, methods: Sequence[Evaluated], further: Mapping[str, Sequence[str]] | None = None
    ) -> tuple[dict[str, pd.DataFrame], Computed]:
        """Tables by name, and what evaluation.json holds: protocols by fingerprint, and the tests.

        Args:
            further: tables of the report beside those of prompts and mixtures, by the names of their methods.

        Raises:
            ValueError: if a method was measured by another protocol than the reference.
        """
        own = {method.name: self._of_method(method, "method", self._evaluate) for method in methods}
        samples = {m.name: self._sample(m, own[m.name]["verdicts"], own[m.name]["attributes"]) for m in methods}
        pairs = [self._of_pair(samples[p.candidate], samples[p.baseline]) for p in self.wanted.comparisons]
        tables = {name: _table(own.values(), name, columns) for name, columns in _COLUMNS.items()}
        tables["verdicts"] = _verdicts(list(own.values()))
        tables["differences"] = _table(pairs, "differences", comparisons.COLUMNS)
        tables["leaders"] = self._leaders(leaders.members(list(samples.values()), further or {}), tables["metrics"])
        kinds = ("success_test", "attribute_test")
        tests = {f"{kind}s": comparisons.corrected([p[kind] for p in pairs if p[kind]]) for kind in kinds}
        protocols = {mark: choices for one in own.values() for mark, choices in one["protocols"].items()}
        return tables, {"protocols": protocols, **tests, "families": comparisons.FAMILIES}

    def points(self, points: Sequence[Evaluated], of_videos: Sequence[str] = ()) -> pd.DataFrame:
        """Values as in the table `metrics`, of points that were sampled once: what needs nothing but the judge's
        readings, and metrics of videos where points were measured for them.

        Raises:
            ValueError: if a point was measured by another protocol than the reference.
        """
        rows = [row for point in points for row in self._of_point(point, of_videos)]
        return pd.DataFrame(rows, columns=list(values.COLUMNS))

    def values(self, methods: Sequence[Evaluated]) -> pd.DataFrame:
        """The table `metrics` of methods alone.

        Raises:
            ValueError: if a method was measured by another protocol than the reference.
        """
        rows = [row for method in methods for row in self._of_method(method, "values", self._values)["metrics"]]
        return pd.DataFrame(rows, columns=list(values.COLUMNS))

    def _of_point(self, point: Evaluated, of_videos: Sequence[str]) -> Rows:
        if of_videos:
            self._check_alike(point)
        prompts, _ = self._asked(point)
        asked = [asdict(prompt) for prompt in prompts.values()]
        key = ["point", point.name, point.content, asked, list(of_videos), *self._shared]
        return self.cache.get(key, lambda: {"metrics": self._evaluate_point(point, of_videos)})["metrics"]

    def _evaluate_point(self, point: Evaluated, of_videos: Sequence[str]) -> Rows:
        shown = attributes.judge_prompts(point, self.prompts).to_dict("records")
        return [value.row(point) for value in values.evaluate(self._sample(point, [], shown), of_videos)]

    def _of_method(
        self, method: Evaluated, kind: str, compute: Callable[[Evaluated, Sequence[Mixture]], Computed]
    ) -> Computed:
        """What `compute` makes of a method and the mixtures that judge its clips. kind: its name in the cache."""
        self._check_alike(method)
        prompts, judged = self._asked(method)
        asked = [asdict(entry) for entry in (*prompts.values(), *judged)]
        key = [kind, method.name, method.content, asked, *self._shared]
        return self.cache.get(key, lambda: compute(method, judged))

    def _check_alike(self, method: Evaluated) -> None:
        """Refuse to compare what was measured in two ways, where anything is compared with real clips."""
        if self.reference is None:
            return
        advice = "run the features and the reference stage"
        if method.protocol != self.reference.protocol:
            theirs = self.reference.protocol
            raise ValueError(f"{method.name} was measured by {method.protocol}, the reference by {theirs}: {advice}")
        own, theirs = (_i3d_of(side) for side in (method.measured, self.reference.measured))
        if own != theirs:
            raise ValueError(f"{method.name} was measured by {own}, the reference by {theirs}: {advice}")

    def _asked(self, method: Evaluated) -> tuple[dict[str, Prompt], list[Mixture]]:
        """The prompts that a method's clips were made from, those of its mixtures' parts included, and the mixtures."""
        made = set(method.table.mixture)
        judged = [mixture for mixture in self.mixtures if mixture.id in made and "attributes" in mixture.extra]
        names = {*method.table.prompt_id, *(part for mixture in judged for part in mixture.parts)} - {""}
        return {name: self.prompts[name] for name in sorted(names)}, judged

    @property
    def _real(self) -> Measured | None:
        return self.reference.measured if self.reference else None

    @cached_property
    def _shared(self) -> list[Any]:
        """What every result depends on: the reference, the parameters, the code and the libraries."""
        libraries = {name: version(name) for name in ("numpy", "scipy", "pandas")}
        parameters = self.wanted.model_dump(exclude={"comparisons"})
        given = [self.reference.content if self.reference else "", self.labels.content if self.labels else ""]
        return [*given, parameters, code_hash("pipeline.evaluation.results", without=_GIVEN), libraries]

    def _evaluate(self, method: Evaluated, judged: Sequence[Mixture]) -> Computed:
        verdicts, shown = self._judged(method, judged)
        sample = self._sample(method, verdicts, shown)
        measured = list(values.evaluate(sample, self.wanted.metrics))
        by_seed = seeds.by_seed(sample, self.wanted.metrics)
        rows = [value.row(method) for value in measured]
        return {
            "metrics": rows,
            "protocols": {row["fingerprint"]: value.protocol for row, value in zip(rows, measured, strict=True)},
            "verdicts": verdicts,
            "attributes": shown,
            "by_seed": by_seed,
            "over_seeds": seeds.summary(by_seed),
            "fvd_by_clips": curves.fvd_curve(method, self._real, self.wanted.curve_seeds) if self._real else [],
        }

    def _values(self, method: Evaluated, judged: Sequence[Mixture]) -> Computed:
        sample = self._sample(method, *self._judged(method, judged))
        return {"metrics": [value.row(method) for value in values.evaluate(sample, self.wanted.metrics)]}

    def _judged(self, method: Evaluated, judged: Sequence[Mixture]) -> tuple[Rows, Rows]:
        """The verdicts on a method's clips of mixtures, and the attributes of those of prompts."""
        labels = self.labels
        verdicts = labels.verdicts(method) if labels else mixtures.judge_mixtures(method, judged, self.prompts)
        return verdicts, attributes.judge_prompts(method, self.prompts).to_dict("records")

    def _sample(self, method: Evaluated, verdicts: Rows, judged: Rows) -> MethodSample:
        tables, by_prompt = (pd.DataFrame(verdicts), pd.DataFrame(judged)), self.wanted.cluster == "prompt"
        gen = method.measured.clustered(prompts_of(method.measured.table)) if by_prompt else method.measured
        about = method.protocol, self.uncertainty, method
        return MethodSample(gen, self._real, *about, *tables, by_prompt)

    def _of_pair(self, candidate: MethodSample, baseline: MethodSample) -> Computed:
        key = ["pair", *_content(candidate), *_content(baseline), *self._shared]
        return self.cache.get(key, lambda: comparisons.compared(candidate, baseline, self.wanted.metrics))

    def _leaders(self, shown: Mapping[str, Sequence[MethodSample]], metrics: pd.DataFrame) -> pd.DataFrame:
        values = {(row.method, row.metric): row.value for row in metrics.itertuples()}
        return pd.DataFrame(leaders.leaders(shown, values, self._tested), columns=list(leaders.COLUMNS))

    def _tested(self, metric: Metric, best: MethodSample, second: MethodSample) -> Computed:
        key = ["leaders", metric.name, *_content(best), *_content(second), *self._shared]
        return self.cache.get(key, lambda: leaders.separation(metric, best, second))


def _content(sample: MethodSample) -> list[Any]:
    """What a comparison depends on, of one method."""
    return [sample.method.name, sample.method.content, *(x.to_json() for x in (sample.verdicts, sample.judged))]


def _i3d_of(side: Measured) -> str:
    """The network behind a side's features, with its weights."""
    made_by = side.provenance
    return f"{made_by.networks.get('i3d', 'no I3D')} of weights {made_by.weights.get('i3d', '')[:12]}"


def write(tables: dict[str, pd.DataFrame], summary: Computed, folder: Path) -> None:
    """A CSV for each table, and evaluation.json."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "evaluation.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def _table(parts: Iterable[Computed], name: str, columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame([row for one in parts for row in one[name]], columns=list(columns))


def _verdicts(parts: Iterable[Computed]) -> pd.DataFrame:
    """Mixtures of three parts bring columns of their own."""
    rows = [row for one in parts for row in one["verdicts"]]
    return pd.DataFrame(rows, columns=None if rows else list(mixtures.COLUMNS))
