"""All methods' features -> the tables of results. What a method or a comparison rests on is hashed, and computed only
if that has changed."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from metrics.statistics.bootstrap import Uncertainty
from pipeline.config.code import code_hash
from pipeline.config.params import Evaluate as Wanted
from pipeline.evaluation import attributes, comparisons, curves, mixtures, values
from pipeline.evaluation.cache import ResultCache
from pipeline.evaluation.evaluated import Evaluated
from pipeline.evaluation.files import Reference
from pipeline.prompts.sets import Mixture, Prompt

_GIVEN = ("pipeline.config", "pipeline.prompts")  # what these make enters by value
Found = dict[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """What methods are evaluated against, and how. prompts: by id. mixtures: of all sets; the world's are judged."""

    reference: Reference
    prompts: dict[str, Prompt]
    mixtures: Sequence[Mixture]
    wanted: Wanted
    cache: ResultCache

    @property
    def how(self) -> Uncertainty:
        """How intervals are made."""
        return Uncertainty(self.wanted.resamples, self.wanted.confidence, self.wanted.seed)

    def tables(self, methods: Sequence[Evaluated]) -> tuple[dict[str, pd.DataFrame], Found]:
        """Tables by name, and what evaluation.json holds: protocols by fingerprint, and the tests.

        Raises:
            ValueError: if a method was measured by another protocol than the reference.
        """
        own = {method.name: self._of_method(method) for method in methods}
        by_name = {method.name: method for method in methods}
        pairs = [self._of_pair(by_name[p.candidate], by_name[p.baseline], own) for p in self.wanted.comparisons]
        columns = {"metrics": values.COLUMNS, "attributes": attributes.COLUMNS, "fvd_by_seed": curves.SEED_COLUMNS,
                   "fvd_by_clips": curves.CURVE_COLUMNS}  # fmt: skip
        tables = {name: _table(own.values(), name, columns[name]) for name in columns}
        tables["verdicts"] = _verdicts(list(own.values()))
        tables["differences"] = _table(pairs, "differences", comparisons.COLUMNS)
        tests = {f"{kind}s": [p[kind] for p in pairs if p[kind]] for kind in ("success_test", "attribute_test")}
        protocols = {mark: choices for found in own.values() for mark, choices in found["protocols"].items()}
        return tables, {"protocols": protocols, **tests}

    def _of_method(self, method: Evaluated) -> Found:
        self._check_alike(method)
        prompts, judged = self._asked(method)
        asked = [asdict(entry) for entry in (*prompts.values(), *judged)]
        key = ["method", method.name, method.content, asked, *self._shared]
        return self.cache.get(key, lambda: self._evaluate(method, judged))

    def _check_alike(self, method: Evaluated) -> None:
        """Refuse to compare what was measured in two ways."""
        if method.protocol != self.reference.protocol:
            raise ValueError(f"{method.name} was measured by {method.protocol}, the reference by "
                             f"{self.reference.protocol}: run the features and the reference stage")  # fmt: skip
        (own, weights), (theirs, others) = (
            (made_by.networks.get("i3d", ""), made_by.weights.get("i3d", "")[:12])
            for made_by in (method.measured.provenance, self.reference.measured.provenance)
        )
        if (own, weights) != (theirs, others):
            raise ValueError(f"{method.name} was measured by {own} of weights {weights}, the reference by {theirs} of "
                             f"{others}: run the features and the reference stage")  # fmt: skip

    def _asked(self, method: Evaluated) -> tuple[dict[str, Prompt], list[Mixture]]:
        """The prompts that a method's clips were made from, those of its mixtures' parts included, and the mixtures."""
        made = set(method.table.mixture)
        judged = [mixture for mixture in self.mixtures if mixture.id in made and "attributes" in mixture.extra]
        names = {*method.table.prompt_id, *(part for mixture in judged for part in mixture.parts)} - {""}
        return {name: self.prompts[name] for name in sorted(names)}, judged

    @cached_property
    def _shared(self) -> list[Any]:
        """What every result rests on: the reference, the parameters, the code and the libraries."""
        libraries = {name: version(name) for name in ("numpy", "scipy", "pandas")}
        parameters = self.wanted.model_dump(exclude={"comparisons"})
        return [self.reference.content, parameters, code_hash("pipeline.evaluation.results", without=_GIVEN), libraries]

    def _evaluate(self, method: Evaluated, judged: Sequence[Mixture]) -> Found:
        real = self.reference.measured
        verdicts = mixtures.judge_mixtures(method, judged, self.prompts)
        shown = attributes.judge_prompts(method, self.prompts)
        found = list(values.evaluate(method, real, pd.DataFrame(verdicts), shown, self.wanted.metrics, self.how))
        rows = [value.row(method) for value in found]
        return {
            "metrics": rows,
            "protocols": {row["fingerprint"]: value.protocol for row, value in zip(rows, found, strict=True)},
            "verdicts": verdicts,
            "attributes": shown.to_dict("records"),
            "fvd_by_seed": curves.fvd_by_seed(method, real),
            "fvd_by_clips": curves.fvd_curve(method, real, self.wanted.curve_seeds),
        }

    def _of_pair(self, candidate: Evaluated, baseline: Evaluated, own: dict[str, Found]) -> Found:
        sides = [own[candidate.name], own[baseline.name]]
        tables = [[side[name] for side in sides] for name in ("verdicts", "attributes")]
        contents = candidate.content, baseline.content
        key = ["pair", candidate.name, baseline.name, *contents, tables, *self._shared]
        return self.cache.get(key, lambda: comparisons.compare(
            candidate, baseline, self.reference.measured, _verdicts(sides),
            _table(sides, "attributes", attributes.COLUMNS), self.wanted.metrics, self.how,
        ))  # fmt: skip


def write(tables: dict[str, pd.DataFrame], summary: Found, folder: Path) -> None:
    """A CSV for each table, and evaluation.json."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "evaluation.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def _table(found: Iterable[Found], name: str, columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame([row for one in found for row in one[name]], columns=list(columns))


def _verdicts(found: Iterable[Found]) -> pd.DataFrame:
    """Mixtures of three parts bring columns of their own."""
    rows = [row for one in found for row in one["verdicts"]]
    return pd.DataFrame(rows, columns=None if rows else list(mixtures.COLUMNS))
