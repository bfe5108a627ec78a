"""Two sets of clips on the same prompts: paired differences of every metric that both have, with intervals and tests.

A side is videos that were measured, a result that `metrics.scoring.result.write` wrote, or a table of one row per clip.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from metrics.networks.rules import WORLD_ENCODER
from metrics.reading.captions import CAPTION_FIELDS, CLIP_FIELDS
from metrics.scoring import result
from metrics.scoring.catalogue import METRICS
from metrics.scoring.clusters import NONE, PROMPT, column_of
from metrics.scoring.measured import COLUMNS, Measured, Provenance
from metrics.scoring.metric import Metric, Sample
from metrics.scoring.protocol import Protocol
from metrics.scoring.summary import OF_WORLD, compare, shared, summarise
from metrics.statistics.bootstrap import Uncertainty
from metrics.statistics.testing import holm

TABLES = (".csv", ".parquet")
_ABOUT = {*COLUMNS, *CLIP_FIELDS, *CAPTION_FIELDS, "original", "cluster", "seed", "size"}
_OF_ONE_SIDE = {"gen", "n_gen", "n_real", "captions", "originals", "codec"}  # choices that may differ


class CompareError(ValueError):
    """Sides that cannot be compared; the message names them."""


@dataclass(frozen=True)
class Side:
    """One of the two. choices: what is behind each metric, by its name, where that is known."""

    name: str
    sample: Sample
    choices: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Compared:
    """a - b of one metric on the clips of both.

    a, b: the values on those clips. pairs, clusters: of clips, and of what is drawn and flipped. p: two-sided; p_holm:
    corrected for all metrics that were compared. flag: why the difference is not to be trusted, or "".
    """

    metric: Metric
    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    pairs: int
    clusters: int
    flag: str


@dataclass(frozen=True)
class Comparisons:
    """All metrics of two sides. missing: why a metric of one side or both is not compared. alone: clips that only a,
    and that only b has."""

    differences: list[Compared]
    missing: dict[str, str]
    alone: tuple[list[str], list[str]]


def of_videos(name: str, sample: Sample, names: Sequence[str]) -> Side:
    """Videos of which the named metrics were measured."""
    plain = replace(sample, uncertainty=replace(sample.uncertainty, resamples=0))
    return Side(name, sample, {v.metric: v.fingerprint.choices for v in summarise(names, plain)})


def of_file(path: Path, cluster: str, protocol: Protocol, uncertainty: Uncertainty) -> Side:
    """A result (.json) with its per-clip values beside it, or a table (.csv, .parquet) of one row per clip.

    A table has a column clip (or file, stem, video, name, id) and columns of numbers. Clips of one caption (or prompt,
    text) are a cluster, unless `cluster` is "none" or names another column, or the field by which a result was scored.

    Raises:
        CompareError: if it cannot be read or has no clips, a clip twice, an infinite number or no such column.
    """
    choices: dict[str, Mapping[str, Any]] = {}
    table_of, field = path, cluster
    if path.suffix.lower() == ".json":
        found = _result(path)
        choices = {str(of["metric"]): of for of in found.fingerprints.values()}
        table_of = path.with_name(found.per_clip or "")
        field = "cluster" if cluster == found.cluster not in (PROMPT, NONE) else cluster  # a field of its captions
    table = _clips(path, _table(table_of))
    gen = Measured(table, np.empty((len(table), 0)), table["clip"].nunique(), [], Provenance({}, {}))
    return Side(str(path), Sample(gen.clustered(_clusters(path, table, field)), None, protocol, uncertainty), choices)


def _result(path: Path) -> result.ScoreResult:
    try:
        found = result.read(path)
    except (OSError, ValueError) as error:
        raise CompareError(f"{path}: no result that `reelbench score --out` wrote: {error}") from error
    if not found.per_clip:
        raise CompareError(f"{path}: names no file of per-clip values (per_clip)")
    return found


def _table(path: Path) -> pd.DataFrame:
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        texts = dict.fromkeys((*CLIP_FIELDS, *CAPTION_FIELDS), str)  # a clip may be called 001 or NA
        return pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:  # pandas' and pyarrow's are ValueErrors
        raise CompareError(f"{path}: cannot be read as a table: {error}") from error


def _clips(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """The table with columns clip and window."""
    field = next((name for name in CLIP_FIELDS if name in table and name != "file"), "file")
    if field not in table or not len(table):
        found = f"{len(table)} rows with columns {', '.join(map(str, table))}"
        raise CompareError(f"{path}: found {found}; expected a row per clip, and one of {', '.join(CLIP_FIELDS)}")
    table = table.assign(clip=table[field].astype(str), window=table.get("window", 0))
    twice = table.duplicated(["clip", "window"])
    if twice.any():
        raise CompareError(f"{path}, field {field}: {table['clip'][twice].iloc[0]!r} is there twice")
    _check_finite(path, table)
    return table.assign(**{name: table.get(name, "") for name in COLUMNS if name not in ("clip", "window")})


def _check_finite(path: Path, table: pd.DataFrame) -> None:
    for name in (name for name in table if name not in _ABOUT and _is_numeric(table[name])):
        infinite = np.isinf(table[name].to_numpy(float, na_value=np.nan))
        if infinite.any():
            where = f"row {int(infinite.argmax()) + 2}, field {name}"
            raise CompareError(f"{path}, {where}: infinite, expected a number or nothing")


def _clusters(path: Path, table: pd.DataFrame, cluster: str) -> pd.Series | None:
    column = column_of(cluster, table)
    if column is not None and column not in table:
        raise CompareError(f"{path}: no column {column!r} (--cluster), found {', '.join(map(str, table))}")
    return None if column is None else table[column]


def compare_sides(a: Side, b: Side, names: Sequence[str] = ()) -> Comparisons:
    """Every metric that both sides have, or those that are named.

    Raises:
        CompareError: if the sides share no clip, or no metric.
    """
    a, b = _clustered_alike(a, b)
    clips = [dict.fromkeys(side.sample.gen.table["clip"]) for side in (a, b)]
    alone = tuple([clip for clip in own if clip not in other] for own, other in (clips, clips[::-1]))
    check_shared({a.name: [*clips[0]], b.name: [*clips[1]]})
    missing: dict[str, str] = {}
    found: list[Compared] = []
    for metric in _metrics(a, b, names):
        why = _why_not(metric, a, b)
        compared = None if why else _compared(metric, a, b)
        if compared is None:
            missing[metric.name] = why or "fewer than two clips of both have it"
        else:
            found.append(compared)
    if not found:
        said = "; ".join(f"{name}: {why}" for name, why in missing.items()) or "neither has a column of numbers"
        raise CompareError(f"{a.name} and {b.name}: nothing to compare: {said}")
    corrected = holm(np.array([one.p for one in found]))
    return Comparisons([replace(one, p_holm=float(p)) for one, p in zip(found, corrected, strict=True)], missing, alone)


def check_shared(clips: Mapping[str, Sequence[str]]) -> None:
    """Refuse sides, by name, that have no clip in common.

    Raises:
        CompareError: naming one clip of each.
    """
    if clips and not set.intersection(*map(set, clips.values())):
        said = (f"{name} has {own[0]!r}" if own else f"{name} has none" for name, own in clips.items())
        raise CompareError(f"no clip is in both: {', '.join(said)}")


def _clustered_alike(a: Side, b: Side) -> tuple[Side, Side]:
    """Both with one name for a clip's cluster: the first's, else the second's."""
    names: dict[str, Any] = {}
    for side in (b, a):
        table = side.sample.gen.table
        if "cluster" in table:
            known = table.dropna(subset="cluster")
            names |= dict(zip(known["clip"], known["cluster"], strict=True))
    if not names:
        return a, b
    return _clustered(a, names), _clustered(b, names)


def _clustered(side: Side, names: Mapping[str, Any]) -> Side:
    gen = side.sample.gen
    return replace(side, sample=replace(side.sample, gen=gen.clustered(gen.table["clip"].map(names))))


def _metrics(a: Side, b: Side, names: Sequence[str]) -> list[Metric]:
    """Those that are named, else the distances where both sides may have them, and every column of numbers."""
    tables = [side.sample.gen.table for side in (a, b)]
    if names:
        return [METRICS.get(name) or _of_column(name, tables) for name in names]
    asked = [name for name in METRICS if any(name in side.choices for side in (a, b))]
    columns = [name for table in tables for name in table if name not in _ABOUT and _is_numeric(table[name])]
    return [METRICS.get(name) or _of_column(name, tables) for name in dict.fromkeys([*asked, *columns])]


def _is_numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and bool(column.notna().any())


def _of_column(name: str, tables: Sequence[pd.DataFrame]) -> Metric:
    """What is known of a column of a user's own; one of 0 and 1 alone is a share."""
    values = pd.concat([table[name].dropna() for table in tables if name in table] or [pd.Series(dtype=float)])
    is_share = _is_numeric(values) and values.isin([0, 1]).all()
    return Metric(name, name, None, 1 if is_share else 4, unit="%" if is_share else "")


def _why_not(metric: Metric, a: Side, b: Side) -> str:
    """Why a metric cannot be compared, or ""."""
    if not metric.comparable:
        return "has no paired comparison"
    for side in (a, b):
        gen = side.sample.gen
        if metric.distance and not gen.logits.shape[1]:
            return f"{side.name} has no features: give its videos"
        if metric.distance and side.sample.real is None:
            return "needs real clips"
        if not metric.distance and (metric.name not in gen.table or not _is_numeric(gen.table[metric.name])):
            return f"{side.name} does not have it"
    return ""


def _compared(metric: Metric, a: Side, b: Side) -> Compared | None:
    found = compare(metric, a.sample, b.sample)
    if found is None:
        return None
    first, second = shared(metric, a.sample.gen, b.sample.gen)
    flag = "; ".join(filter(None, [found.flag, _of_world(metric.name, a, b), _unlike(metric.name, a, b)]))
    return Compared(
        metric=metric,
        a=_value(metric, replace(a.sample, gen=first)),
        b=_value(metric, replace(b.sample, gen=second)),
        difference=found.difference.value,
        low=found.difference.low,
        high=found.difference.high,
        p=found.p,
        p_holm=float("nan"),
        pairs=found.pairs,
        clusters=found.clusters,
        flag=flag,
    )


def _value(metric: Metric, sample: Sample) -> float:
    """Of a side alone, on the clips that both have."""
    if metric.distance:
        assert sample.real is not None
        return metric.distance(sample.protocol)(sample.gen.features, sample.real.features)
    by_clip = sample.gen.table.groupby("clip")[metric.name].mean()
    return float(by_clip.mean())


def _of_world(name: str, *sides: Side) -> str:
    """The flag of a metric that a side owes to the toy world's encoder, or ""."""
    networks = (str(side.choices.get(name, {}).get("network", "")) for side in sides)
    return OF_WORLD if any(WORLD_ENCODER in network for network in networks) else ""


def _unlike(name: str, a: Side, b: Side) -> str:
    """The choices in which two sides differ that should not, or ""."""
    ours, theirs = a.choices.get(name), b.choices.get(name)
    if ours is None or theirs is None:
        return ""
    keys = [key for key in {**ours, **theirs} if key not in _OF_ONE_SIDE and ours.get(key) != theirs.get(key)]
    return f"made with another {', '.join(keys)}" if keys else ""
