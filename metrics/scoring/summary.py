"""What was measured -> values with intervals, flags and fingerprints."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from metrics.distances.fvd import MIN_CLIPS
from metrics.networks.rules import WORLD_ENCODER
from metrics.scoring.catalogue import METRICS, checked
from metrics.scoring.measured import Measured
from metrics.scoring.protocol import Fingerprint, Protocol
from metrics.statistics.bootstrap import (
    NOTHING,
    Interval,
    Uncertainty,
    distance_interval,
    fvd_distance,
    kvd_distance,
    mean_interval,
    paired_distance_difference,
    paired_mean_difference,
)
from metrics.statistics.extrapolation import SMALLEST, fvd_infinity

DIFFERENCES = ("fvd", "kvd", "clipsim", "clip_score", "frame_consistency")


@dataclass(frozen=True)
class Value:
    """One value of one metric, with everything that is needed to quote it.

    n_gen, n_real: clips (windows) it rests on; n_real is None where no real clips take part. flag: why it is not to be
    compared with published values, or "".
    """

    metric: str
    interval: Interval
    n_gen: int
    n_real: int | None
    flag: str
    fingerprint: Fingerprint


def summarise(
    names: Sequence[str], gen: Measured, real: Measured | None, protocol: Protocol, how: Uncertainty
) -> list[Value]:
    """The named metrics of the generated clips.

    Raises:
        ValueError: if a metric is unknown, or needs real clips and there are none.
    """
    return [_summarise(name, gen, real, protocol, how) for name in checked(names)]


def _summarise(name: str, gen: Measured, real: Measured | None, protocol: Protocol, how: Uncertainty) -> Value:
    if METRICS[name].needs == "real":
        if real is None:
            raise ValueError(f"{name} compares with real clips, and there are none")
        interval, flag = _distance(name, gen, real, protocol, how)
        n_gen, n_real = len(gen.logits), len(real.logits)
    else:
        values, groups = _column(gen, name)
        interval, n_gen, n_real = mean_interval(values, how, groups), len(values), None
        flag = _encoder_flag(name, gen) if n_gen else "no clip has it"
    return Value(name, interval, n_gen, n_real, flag, _fingerprint(name, gen, real, protocol, n_gen, n_real))


def few_clips(*numbers: int) -> str:
    """The flag of an FVD that rests on too few clips, or ""."""
    least = min(numbers)
    return f"n = {least} < {MIN_CLIPS}" if least < MIN_CLIPS else ""


def _encoder_flag(name: str, gen: Measured) -> str:
    own = METRICS[name].network == "clip" and WORLD_ENCODER in gen.provenance.networks.get("clip", "")
    return "world's own encoder" if own else ""


def _column(gen: Measured, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A per-clip metric's values, and the clip 0 … of each; rows that lack it are left out."""
    if name not in gen.table:
        return np.empty(0), np.empty(0, int)
    kept = gen.table[name].notna().to_numpy()
    groups = np.unique(gen.groups[kept], return_inverse=True)[1]
    return gen.table[name].to_numpy(float)[kept], groups


def _distance(name: str, gen: Measured, real: Measured, protocol: Protocol, how: Uncertainty) -> tuple[Interval, str]:
    clips = gen.scored, real.scored
    if min(clips) < 2:
        return NOTHING, "fewer than 2 clips"
    if name == "kvd":
        return distance_interval(kvd_distance, gen.features, real.features, how), ""
    if name == "fvd":
        return distance_interval(fvd_distance(protocol.ddof), gen.features, real.features, how), few_clips(*clips)
    found = fvd_infinity(gen.features, real.features, how, protocol.ddof)
    return (found, few_clips(*clips)) if found else (NOTHING, f"needs {2 * SMALLEST} clips a side")


def difference(
    name: str, first: Measured, second: Measured, real: Measured, protocol: Protocol, how: Uncertainty
) -> tuple[Interval, int]:
    """first - second of one metric, by a paired bootstrap over the clips for which both have it, and their number.

    The methods' rows must be named alike (`clip`) where they are the same prompt and seed. NaN for fewer than two.
    """
    key = ["clip", "window"]
    rows = [side.table[key].assign(row=np.arange(len(side.table)))[_has(side, name)] for side in (first, second)]
    both = rows[0].merge(rows[1], on=key, suffixes=("_first", "_second"))
    pairs = int(both["clip"].nunique())
    if pairs < 2:
        return NOTHING, pairs
    a, b = (_rows(side, both[f"row_{which}"].to_numpy()) for side, which in ((first, "first"), (second, "second")))
    if name in ("fvd", "kvd"):
        distance = kvd_distance if name == "kvd" else fvd_distance(protocol.ddof)
        return paired_distance_difference(distance, a.features, b.features, real.features, how), pairs
    return paired_mean_difference(a.table[name].to_numpy(float), b.table[name].to_numpy(float), how, a.groups), pairs


def _has(side: Measured, name: str) -> np.ndarray:
    """Which rows have a metric; every scored row has the features of a distance."""
    if METRICS[name].needs == "real":
        return np.ones(len(side.table), bool)
    return side.table[name].notna().to_numpy() if name in side.table else np.zeros(len(side.table), bool)


def _rows(side: Measured, rows: np.ndarray) -> Measured:
    return replace(side, table=side.table.iloc[rows].reset_index(drop=True), logits=side.logits[rows])


def _fingerprint(
    name: str, gen: Measured, real: Measured | None, protocol: Protocol, n_gen: int, n_real: int | None
) -> Fingerprint:
    metric = METRICS[name]
    against = real if metric.needs == "real" else None
    resize, value_range = {
        "i3d": (str(protocol.i3d_resize), "[-1, 1]"),
        "clip": (str(protocol.clip_resize), "[0, 1], then the encoder's own"),
        "": ("none", "[0, 1]"),
    }[metric.network]
    sides = [gen, against] if against else [gen]
    return Fingerprint(
        metric=name, protocol=protocol.name, network=gen.provenance.networks.get(metric.network, "pixels"),
        weights=gen.provenance.weights.get(metric.network, "none"), resize=resize, value_range=value_range,
        gen=gen.content, real=_against(metric.needs, gen, against), n_gen=n_gen, n_real=n_real,
        ddof=protocol.ddof if name in ("fvd", "fvd_inf") else None,
        decoder=" / ".join(side.decoder for side in sides), codec=" / ".join(side.codec for side in sides),
        **vars(protocol.clips),
    )  # fmt: skip


def _against(needs: str, gen: Measured, real: Measured | None) -> str | None:
    """Digest of what the clips are compared with: real clips, their captions, or their originals."""
    if needs == "real" and real is not None:
        return real.content
    column = {"captions": "caption", "pairs": "original"}.get(needs)
    if column is None or column not in gen.table:
        return None
    pairs = sorted(f"{row['clip']}\n{row[column]}" for _, row in gen.table.iterrows())
    return hashlib.sha256("\n".join(pairs).encode()).hexdigest()[:12]
