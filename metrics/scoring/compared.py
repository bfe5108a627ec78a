"""What comparing two sides came to as a versioned JSON (docs/score.md)."""

from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from metrics.scoring.comparing import Comparisons, Side
from metrics.scoring.result import LIBRARIES, Number, Run

SCHEMA = "reelbench.compare/2"
FAMILY = "all metrics of the two sides"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Difference(_Part):
    """a - b of one metric; null where the data give none."""

    metric: str
    unit: str
    higher_is_better: bool | None
    a: Number
    b: Number
    difference: Number
    low: Number
    high: Number
    p: Number
    p_holm: Number
    pairs: int
    clusters: int
    flag: str


class OneSide(_Part):
    """requested, scored: clips. alone: those that the other side lacks. errors: (clip, reason) of what was not
    scored."""

    name: str
    requested: int
    scored: int
    alone: list[str]
    errors: list[tuple[str, str]]


class CompareResult(_Part):
    """run: null for what the library made. cluster: what is drawn and flipped. family: what p_holm is corrected for.
    missing: why a metric is not here."""

    schema_: Literal["reelbench.compare/2"] = SCHEMA
    run: Run | None = None
    protocol: str
    confidence: float
    resamples: int
    seed: int
    cluster: str
    family: str
    real: int | None
    a: OneSide
    b: OneSide
    differences: list[Difference]
    missing: dict[str, str]
    versions: dict[str, str]

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=lambda name: name.rstrip("_"), validate_by_name=True
    )


def result_of(found: Comparisons, a: Side, b: Side, cluster: str) -> CompareResult:
    """The result of `metrics.scoring.comparing.compare_sides`."""
    sample = a.sample
    differences = [
        Difference(
            **{k: v for k, v in vars(one).items() if k != "metric"},
            metric=one.metric.name,
            unit=one.metric.unit,
            higher_is_better=one.metric.higher_is_better,
        )
        for one in found.differences
    ]
    return CompareResult(
        protocol=sample.protocol.name,
        **vars(sample.uncertainty),
        cluster=cluster,
        family=FAMILY,
        real=sample.real.scored if sample.real else None,
        a=_side(a, found.alone[0]),
        b=_side(b, found.alone[1]),
        differences=differences,
        missing=found.missing,
        versions={"reelbench": version("reelbench"), **{name: version(name) for name in LIBRARIES}},
    )


def _side(side: Side, alone: list[str]) -> OneSide:
    gen = side.sample.gen
    return OneSide(
        name=side.name, requested=gen.requested, scored=gen.scored, alone=alone, errors=[*map(tuple, gen.errors)]
    )


def write(result: CompareResult, path: Path) -> None:
    """Write the JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.tmp")
    aside.write_text(result.model_dump_json(indent=2, by_alias=True) + "\n", encoding="utf-8")
    aside.replace(path)


def read(path: Path) -> CompareResult:
    """A result that `write` wrote.

    Raises:
        pydantic.ValidationError: (a ValueError) naming the field, if it is of another schema.
    """
    return CompareResult.model_validate_json(path.read_text(encoding="utf-8"))
