"""What was measured -> values with intervals, flags and fingerprints. One function per metric, all of one shape."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metrics.bootstrap import (
    Interval,
    Uncertainty,
    fvd_interval,
    kvd_interval,
    mean_interval,
    paired_fvd_difference,
    paired_kvd_difference,
    paired_mean_difference,
)
from metrics.clip import WorldClipConfig
from metrics.extrapolation import SMALLEST, fvd_infinity
from metrics.fvd import MIN_CLIPS
from metrics.measured import Measured
from metrics.protocol import Fingerprint, Protocol

NOTHING = float("nan")
WORLD_ENCODER = WorldClipConfig.model_type
_WORLD_ONLY = "world's own encoder"


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


@dataclass(frozen=True)
class Metric:
    """How a metric is shown and what it needs.

    higher: whether more is better. needs: "real" clips, "captions", "pairs" of clips, or "" for nothing. network: that
    must have seen the clips.
    """

    label: str
    higher: bool
    digits: int
    needs: str
    network: str


METRICS = {
    "fvd": Metric("FVD", False, 2, "real", "i3d"),
    "fvd_inf": Metric("FVD∞", False, 2, "real", "i3d"),
    "kvd": Metric("KVD", False, 4, "real", "i3d"),
    "clipsim": Metric("CLIPSIM", True, 4, "captions", "clip"),
    "clip_score": Metric("CLIPScore", True, 4, "captions", "clip"),
    "frame_consistency": Metric("Frame consistency", True, 4, "", "clip"),
    "ssim": Metric("SSIM", True, 4, "pairs", ""),
    "psnr": Metric("PSNR (dB)", True, 2, "pairs", ""),
}


def summarise(
    names: Sequence[str], gen: Measured, real: Measured | None, protocol: Protocol, how: Uncertainty
) -> list[Value]:
    """The named metrics of the generated clips.

    Raises:
        ValueError: if a metric is unknown, or needs real clips and there are none.
    """
    return [_summarise(name, gen, real, protocol, how) for name in checked(names)]


def checked(names: Sequence[str]) -> Sequence[str]:
    """The names, if all of them are metrics.

    Raises:
        ValueError: naming those that are not.
    """
    unknown = [name for name in names if name not in METRICS]
    if unknown:
        raise ValueError(f"no metric {', '.join(map(repr, unknown))}, expected some of {', '.join(METRICS)}")
    return names


def _summarise(name: str, gen: Measured, real: Measured | None, protocol: Protocol, how: Uncertainty) -> Value:
    if METRICS[name].needs == "real":
        if real is None:
            raise ValueError(f"{name} compares with real clips, and there are none")
        interval, flag = _distance(name, gen, real, protocol, how)
        n_gen, n_real = len(gen.logits), len(real.logits)
    else:
        values, groups = _column(gen, name)
        interval, n_gen, n_real = mean_interval(values, how, groups), len(values), None
        flag = _WORLD_ONLY if METRICS[name].network == "clip" and gen.provenance.encoder == WORLD_ENCODER else ""
        flag = flag if n_gen else "no clip has it"
    return Value(name, interval, n_gen, n_real, flag, _fingerprint(name, gen, real, protocol, n_gen, n_real))


def _column(gen: Measured, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A per-clip metric's values, and the clip 0 … of each; rows that lack it are left out."""
    if name not in gen.table:
        return np.empty(0), np.empty(0, int)
    kept = gen.table[name].notna().to_numpy()
    groups = np.unique(gen.groups[kept], return_inverse=True)[1]
    return gen.table[name].to_numpy(float)[kept], groups


def _distance(name: str, gen: Measured, real: Measured, protocol: Protocol, how: Uncertainty) -> tuple[Interval, str]:
    least = min(gen.scored, real.scored)
    if least < 2:
        return Interval(NOTHING, NOTHING, NOTHING), "fewer than 2 clips"
    if name == "kvd":
        return kvd_interval(gen.features, real.features, how), ""
    few = f"n = {least} < {MIN_CLIPS}" if least < MIN_CLIPS else ""
    if name == "fvd":
        return fvd_interval(gen.features, real.features, protocol.ddof, how), few
    found = fvd_infinity(gen.logits, real.logits, how.confidence, protocol.ddof)
    return (found, few) if found else (Interval(NOTHING, NOTHING, NOTHING), f"needs {2 * SMALLEST} clips a side")


DIFFERENCES = ("fvd", "kvd", "clipsim", "clip_score", "frame_consistency")


def difference(
    name: str, first: Measured, second: Measured, real: Measured, protocol: Protocol, how: Uncertainty
) -> Interval:
    """first - second of one metric, by a paired bootstrap over the clips that both scored.

    The methods' rows must be named alike (`clip`) where they are the same prompt and seed.

    Raises:
        ValueError: if fewer than two clips are shared.
    """
    key = ["clip", "window"]
    rows = [side.table[key].assign(row=np.arange(len(side.table))) for side in (first, second)]
    both = rows[0].merge(rows[1], on=key, suffixes=("_first", "_second"))
    if both["clip"].nunique() < 2:
        raise ValueError(f"{name}: the methods share {both['clip'].nunique()} clips, a paired comparison wants two")
    a, b = (_rows(side, both[f"row_{which}"].to_numpy()) for side, which in ((first, "first"), (second, "second")))
    if name == "fvd":
        return paired_fvd_difference(a.features, b.features, real.features, protocol.ddof, how)
    if name == "kvd":
        return paired_kvd_difference(a.features, b.features, real.features, how)
    return paired_mean_difference(a.table[name].to_numpy(float), b.table[name].to_numpy(float), how, a.groups)


def _rows(side: Measured, rows: np.ndarray) -> Measured:
    return Measured(
        side.table.iloc[rows].reset_index(drop=True), side.logits[rows], side.requested, side.faults, side.provenance
    )


def _fingerprint(
    name: str, gen: Measured, real: Measured | None, protocol: Protocol, n_gen: int, n_real: int | None
) -> Fingerprint:
    metric = METRICS[name]
    against = real if metric.needs == "real" else None
    network, resize, value_range = {
        "i3d": ("i3d-kinetics-400 logits (TF-Hub)", str(protocol.i3d_resize), "[-1, 1]"),
        "clip": (f"dual encoder {gen.provenance.encoder}", str(protocol.clip_resize), "[0, 1], then the encoder's own"),
        "": ("pixels", "none", "[0, 1]"),
    }[metric.network]
    codec = gen.codec + (f" / {against.codec}" if against else "")
    decoders = {side.provenance.decoder for side in (gen, against) if side}
    return Fingerprint(
        metric=name, protocol=protocol.name, network=network,
        weights=gen.provenance.weights.get(metric.network, "none"), resize=resize, value_range=value_range,
        gen=gen.content, real=against.content if against else None, n_gen=n_gen, n_real=n_real,
        ddof=protocol.ddof if name in ("fvd", "fvd_inf") else None,
        decoder=" / ".join(sorted(decoders)), codec=codec, **vars(protocol.clips),
    )  # fmt: skip
