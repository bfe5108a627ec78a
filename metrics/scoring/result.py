"""The result of scoring as a small, versioned JSON with the per-clip values in Parquet beside it (docs/score.md)."""

import math
import shlex
import sys
from collections.abc import Container, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict

from metrics.networks.environment import device_name
from metrics.reading.errors import readable
from metrics.scoring.clusters import PROMPT
from metrics.scoring.measured import Measured
from metrics.scoring.metric import Sample
from metrics.scoring.summary import Value

SCHEMA = "reelbench.score/4"
LIBRARIES = ("torch", "transformers", "torchmetrics", "scipy", "numpy")
Number = Annotated[float | None, BeforeValidator(lambda x: None if isinstance(x, float) and math.isnan(x) else x)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Unscored(_Part):
    """A clip that was not scored (or not by every metric), and why."""

    side: Literal["gen", "real"]
    clip: str
    reason: str


class Counts(_Part):
    """Clips asked for, clips scored, and the windows taken from these."""

    requested: int
    scored: int
    windows: int


class Scored(_Part):
    """One value. null bounds: the data give no interval; a null value: too few clips."""

    metric: str
    value: Number
    low: Number
    high: Number
    n_gen: int
    n_real: int | None
    flag: str
    fingerprint: str


class Run(_Part):
    """What was run. command: as typed. date: when it began, in UTC. device: the GPU's name, or cpu. inputs: the places
    that were given, by option, as absolute paths."""

    command: str
    date: str
    device: str
    inputs: dict[str, str]


class ScoreResult(_Part):
    """Everything that is needed to quote the values and to make them again.

    run: null for what the library made. cluster: what intervals draw, "prompt", "none" or a field of the captions.
    clusters: how many; null where every clip is its own. missing: why a metric that nobody asked for by name is not
    here.
    """

    schema_: Literal["reelbench.score/4"] = SCHEMA
    run: Run | None = None
    protocol: str
    confidence: float
    resamples: int
    seed: int
    cluster: str
    clusters: int | None
    gen: Counts
    real: Counts | None
    values: list[Scored]
    missing: dict[str, str] = {}
    fingerprints: dict[str, dict[str, str | int]]
    errors: list[Unscored]
    versions: dict[str, str]
    per_clip: str | None = None

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=lambda name: name.rstrip("_"), validate_by_name=True
    )

    def without_empty(self, asked: Container[str], missing: Mapping[str, str]) -> "ScoreResult":
        """The same without metrics that have no value, unless they were asked for by name; `missing` says why.

        Args:
            missing: of other metrics, which were not computed.
        """
        empty = {one.metric: one.flag for one in self.values if one.value is None and one.metric not in asked}
        values = [one for one in self.values if one.metric not in empty]
        kept = {mark: self.fingerprints[mark] for mark in (one.fingerprint for one in values)}
        return self.model_copy(update={"values": values, "fingerprints": kept, "missing": {**empty, **missing}})


def this_run(device: str, inputs: Mapping[str, Path]) -> Run:
    """What this process runs, from now on.

    Args:
        device: as torch names it. inputs: places by option.
    """
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    date = datetime.now(UTC).isoformat(timespec="seconds")
    places = {option: readable(place.absolute()) for option, place in inputs.items()}
    return Run(command=readable(command), date=date, device=device_name(device), inputs=places)


def result_of(values: Sequence[Value], sample: Sample, cluster: str = PROMPT) -> ScoreResult:
    """The result, without a file of per-clip values yet. cluster: what clusters are."""
    codes = sample.gen.clusters
    sides: Mapping[str, Measured] = {"gen": sample.gen, **({"real": sample.real} if sample.real else {})}
    return ScoreResult(
        protocol=sample.protocol.name,
        **vars(sample.uncertainty),
        cluster=cluster,
        clusters=None if codes is None else len(set(codes.tolist())),
        gen=_counts(sample.gen),
        real=_counts(sample.real) if sample.real else None,
        values=[_scored(value) for value in values],
        fingerprints={value.fingerprint.digest: value.fingerprint.choices for value in values},
        errors=[Unscored(side=side, clip=clip, reason=why) for side, m in sides.items() for clip, why in m.errors],
        versions={"reelbench": version("reelbench"), **{name: version(name) for name in LIBRARIES}},
    )


def _scored(value: Value) -> Scored:
    counts = {"n_gen": value.n_gen, "n_real": value.n_real}
    mark = value.fingerprint.digest
    return Scored(metric=value.metric, **vars(value.interval), **counts, flag=value.flag, fingerprint=mark)


def _counts(side: Measured) -> Counts:
    return Counts(requested=side.requested, scored=side.scored, windows=len(side.table))


def write(result: ScoreResult, clips: pd.DataFrame, path: Path) -> ScoreResult:
    """Write the JSON, and the per-clip values as <stem>.clips.parquet beside it; the JSON comes last, whole or not."""
    beside = path.with_name(f"{path.stem}.clips.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    for target, save in (
        (beside, lambda aside: clips.to_parquet(aside, index=False)),
        (path, lambda aside: aside.write_text(_json(result, beside.name) + "\n", encoding="utf-8")),
    ):
        aside = target.with_name(f".{target.name}.tmp")
        save(aside)
        aside.replace(target)
    return result.model_copy(update={"per_clip": beside.name})


def _json(result: ScoreResult, per_clip: str) -> str:
    return result.model_copy(update={"per_clip": per_clip}).model_dump_json(indent=2, by_alias=True)


def read(path: Path) -> ScoreResult:
    """A result that `write` wrote.

    Raises:
        pydantic.ValidationError: (a ValueError) naming the field, if it is of another schema.
    """
    return ScoreResult.model_validate_json(path.read_text(encoding="utf-8"))
