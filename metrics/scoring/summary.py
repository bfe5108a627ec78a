"""What was measured -> values with intervals, flags and fingerprints; two methods -> their paired difference."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from metrics.digests import digest_of_text
from metrics.networks.environment import NOT_RECORDED
from metrics.networks.rules import WORLD_ENCODER, Resize
from metrics.scoring.catalogue import FVD, METRICS, checked
from metrics.scoring.measured import Measured
from metrics.scoring.metric import Comparison, Estimate, Metric, Sample
from metrics.scoring.protocol import Fingerprint, Protocol
from metrics.statistics.bootstrap import (
    NOTHING,
    Interval,
    distance_interval,
    mean_interval,
    paired_distance_difference,
    paired_mean_difference,
)
from metrics.statistics.clusters import clustered_rate, paired_rate_difference, sign_flip
from metrics.statistics.testing import interval_p

MOST_SQUASHED = 4 / 3  # long side over short side; beyond it a squashed frame shows another picture than a cropped one


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


def summarise(names: Sequence[str], sample: Sample) -> list[Value]:
    """The named metrics of the generated clips.

    Raises:
        ValueError: if a metric is unknown, or needs real clips and there are none.
    """
    return [_summarise(METRICS[name], sample) for name in checked(names)]


def _summarise(metric: Metric, sample: Sample) -> Value:
    if metric.needs != "real":
        values, groups, clusters = _column(sample.gen, metric.name)
        estimate, counts = _mean(metric, sample, values, groups, clusters), (len(values), None)
    elif sample.real is None:
        raise ValueError(f"{metric.name} compares with real clips, and there are none")
    else:
        estimate, counts = _distance(metric, sample, sample.real), (len(sample.gen.logits), len(sample.real.logits))
    mark = replace(_fingerprint(metric, sample, *counts), **estimate.choices)
    return Value(metric.name, estimate.interval, *counts, estimate.flag, mark)


def _mean(
    metric: Metric, sample: Sample, values: np.ndarray, groups: np.ndarray, clusters: np.ndarray | None
) -> Estimate:
    """The mean of a per-clip metric; groups: the clip of each value. clusters: of the clips."""
    if not len(values):
        return Estimate(NOTHING, "no clip has it")
    shares = _shares(metric, values, groups)
    if shares is None:
        interval = mean_interval(values, sample.uncertainty, groups, clusters)
    else:
        codes = np.arange(len(shares)) if clusters is None else clusters
        rate = clustered_rate(shares, codes, sample.uncertainty.confidence)
        interval = Interval(rate.value, rate.low, rate.high)
    return Estimate(interval, _of_encoder(sample) if metric.network == "clip" else "")


OF_WORLD = "toy world's own encoder"


def _of_encoder(sample: Sample) -> str:
    """The flag of a metric in a dual encoder's space, or ""."""
    if WORLD_ENCODER in sample.gen.provenance.networks.get("clip", ""):
        return OF_WORLD
    squashes = sample.protocol.clip_resize == Resize.SQUASH_BICUBIC
    longest = max(map(_aspect, filter(None, set(sample.gen.table.get("size", [])))), default=1.0)
    return "long frames squashed, CLIP's own way crops" if squashes and longest > MOST_SQUASHED else ""


def _aspect(size: str) -> float:
    """Long side over short side of "1280x720"."""
    sides = [int(side) for side in size.split("x")]
    return max(sides) / min(sides)


def _distance(metric: Metric, sample: Sample, real: Measured) -> Estimate:
    """A metric that compares with real clips."""
    clips = sample.gen.scored, real.scored
    if min(clips) < 2:
        return Estimate(NOTHING, "fewer than 2 clips")
    if metric.distance:
        distance = metric.distance(sample.protocol)
        estimate = Estimate(distance_interval(distance, sample.gen.features, real.features, sample.uncertainty))
    else:
        assert metric.estimate
        estimate = metric.estimate(sample)
    return estimate if estimate.flag else replace(estimate, flag=_flag(metric, sample.gen, real))


_ON_I3D = ("fvd", "fvd_inf", "kvd")  # published values of these are


def _flag(metric: Metric, gen: Measured, real: Measured) -> str:
    """Why a distance is not to be compared with published values, or ""."""
    return "; ".join(filter(None, [*_reasons(metric, gen, real), _on_both(gen, real), _unequal_windows(gen, real)]))


def _reasons(metric: Metric, gen: Measured, real: Measured) -> list[str]:
    """Too few clips, or features of one's own."""
    if "i3d" not in gen.provenance.preparations:
        meant = "meant for V-JEPA's features" if metric.name == "jedi" else ""
        return [few_clips(gen.scored, real.scored, metric=metric), meant]
    reasons = ["features of your own"] if metric.name in _ON_I3D else []
    sides = [side.features.values for side in (gen, real)]
    least, width = min(map(len, sides)), sides[0].shape[1]
    if metric.ddof and least <= width:  # the covariance of d features wants d + 1 vectors
        reasons.append(f"n = {least} < {width + 1}")
    elif not metric.ddof:
        reasons.append(few_clips(gen.scored, real.scored, metric=metric))
    return reasons


def _on_both(gen: Measured, real: Measured) -> str:
    """The flag of a distance of sets that share clips, by content, and so seem nearer than they are, or ""."""
    shared_clips = set(gen.table["content"]) & set(real.table["content"])
    return f"on both sides: {len(shared_clips)} clips" if shared_clips else ""


def _unequal_windows(*sides: Measured) -> str:
    """The flag of a distance of sets in which clips count unlike, each by the number of its windows, or ""."""
    counts = [np.bincount(side.groups) for side in sides]
    if all(own.min() == own.max() for own in counts):
        return ""
    return f"clips weigh by their {min(map(min, counts))} to {max(map(max, counts))} windows"


def few_clips(*numbers: int, metric: Metric = FVD) -> str:
    """The flag of a value that rests on too few clips of a side, or ""."""
    least = min(numbers)
    return f"n = {least} < {metric.clips}" if least < metric.clips else ""


def _column(gen: Measured, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """A per-clip metric's values, the clip 0 … of each, and the clips' clusters; rows that lack it are left out."""
    if name not in gen.table:
        return np.empty(0), np.empty(0, int), None
    kept = gen.table[name].notna().to_numpy()
    clips, groups = np.unique(gen.groups[kept], return_inverse=True)
    clusters = None if gen.clusters is None else gen.clusters[clips]
    return gen.table[name].to_numpy(float)[kept], groups, clusters


def compare(metric: Metric, first: Sample, second: Sample) -> Comparison | None:
    """first - second of one metric on the clips that both have.

    Clips are the same prompt and seed where they are named alike (`clip`).

    Returns:
        None if the metric compares no methods, or they share too few clips: none, or one for a bootstrap.
    """
    if metric.compare:
        return metric.compare(first, second)
    return _bootstrapped(metric, first, second) if metric.comparable else None


def _bootstrapped(metric: Metric, first: Sample, second: Sample) -> Comparison | None:
    """The difference by a paired bootstrap over clips, or over their clusters, flagged where a distance rests on few.

    p: of flipping the signs of clusters; of a distance, whose differences have no signs, by its interval.
    """
    a, b = shared(metric, first.gen, second.gen)
    if a.scored < 2:
        return None
    clusters = np.arange(a.scored) if a.clusters is None else a.clusters
    count = len(np.unique(clusters))
    if metric.distance is None:
        columns = [side.table[metric.name].to_numpy(float) for side in (a, b)]
        by_clip = np.bincount(a.groups, columns[0] - columns[1]) / np.bincount(a.groups)
        p = sign_flip(by_clip, clusters, first.uncertainty.seed)
        shares = [_shares(metric, column, a.groups) for column in columns]
        if shares[0] is not None and shares[1] is not None:
            return Comparison(
                paired_rate_difference(*shares, clusters, first.uncertainty.confidence), a.scored, p, count
            )
        difference = paired_mean_difference(*columns, first.uncertainty, a.groups, a.clusters)
        return Comparison(difference, a.scored, p, count)
    if first.real is None:
        raise ValueError(f"{metric.name} compares with real clips, and there are none")
    distance = metric.distance(first.protocol)
    difference = paired_distance_difference(distance, a.features, b.features, first.real.features, first.uncertainty)
    flag = _flag(metric, a, first.real)  # the bias at equal numbers depends on the model
    return Comparison(difference, a.scored, interval_p(difference, first.uncertainty.confidence), count, flag)


def _shares(metric: Metric, values: np.ndarray, groups: np.ndarray) -> np.ndarray | None:
    """(clips,) yes or no, of a share that is one or the other for every clip; else None."""
    one_a_clip = len(values) == len(np.unique(groups))
    if metric.unit != "%" or not one_a_clip or not np.isin(values, (0, 1)).all():
        return None
    return values[np.argsort(groups)] == 1


def shared(metric: Metric, first: Measured, second: Measured) -> tuple[Measured, Measured]:
    """Both sides, with the windows for which both have a metric, in one order, and the first's clusters."""
    key = ["clip", "window"]
    rows = [side.table[key].assign(row=np.arange(len(side.table)))[_has(side, metric)] for side in (first, second)]
    both = rows[0].merge(rows[1], on=key, suffixes=("_first", "_second"))
    a, b = _rows(first, both["row_first"].to_numpy()), _rows(second, both["row_second"].to_numpy())
    return a, b.clustered(a.table.get("cluster"))


def _has(side: Measured, metric: Metric) -> np.ndarray:
    """Which rows have a metric; every scored row has the features of a distance."""
    if metric.needs == "real":
        return np.ones(len(side.table), bool)
    column = side.table.get(metric.name)
    return np.zeros(len(side.table), bool) if column is None else column.notna().to_numpy()


def _rows(side: Measured, rows: np.ndarray) -> Measured:
    return replace(side, table=side.table.iloc[rows].reset_index(drop=True), logits=side.logits[rows])


def _fingerprint(metric: Metric, sample: Sample, n_gen: int, n_real: int | None) -> Fingerprint:
    gen, protocol = sample.gen, sample.protocol
    sides = [gen, sample.real] if metric.needs == "real" and sample.real else [gen]
    resize, value_range = gen.provenance.preparations.get(metric.network) or _preparation(metric, protocol)
    return Fingerprint(
        metric=metric.name,
        protocol=protocol.name,
        network=gen.provenance.networks.get(metric.network, "pixels"),
        weights=gen.provenance.weights.get(metric.network, "none"),
        **(vars(protocol.clips) if protocol.clips else dict.fromkeys(("frames", "start", "stride", "windows"))),
        resize=resize,
        value_range=value_range,
        gen=gen.content,
        **_against(metric.needs, sides),
        n_gen=n_gen,
        n_real=n_real,
        ddof=protocol.ddof if metric.ddof else None,
        decoder=" / ".join(side.decoder for side in sides),
        codec=" / ".join(side.codec for side in sides),
        **_environment(metric, sides),
    )


def _environment(metric: Metric, sides: Sequence[Measured]) -> dict[str, str]:
    """Code, libraries and device behind a metric's numbers; of both sides where they differ."""
    key = metric.network or metric.needs
    if not key:
        return {}
    own = [side.provenance.environment.get(key, {}) for side in sides]
    names = sorted({"code", "torch", "device"}.union(*own))
    found = {name: [one.get(name, NOT_RECORDED) for one in own] for name in names}
    return {name: " / ".join(dict.fromkeys(values)) for name, values in found.items()}


def _preparation(metric: Metric, protocol: Protocol) -> tuple[str, str]:
    """How frames are resized for the metric's network, and the range of their values."""
    return {
        "i3d": (str(protocol.i3d_resize), "[-1, 1]"),
        "clip": (str(protocol.clip_resize), "[0, 1], then the encoder's own"),
    }.get(metric.network, ("none", "[0, 1]"))


def _against(needs: str, sides: Sequence[Measured]) -> dict[str, str]:
    """What the clips are compared with (real clips, their captions, or their originals), and its digest."""
    if needs == "real":
        return {"real": sides[-1].content}
    table, column = sides[0].table, {"captions": "caption", "pairs": "original"}.get(needs)
    if column is None or column not in table:
        return {}
    pairs = sorted(f"{row['clip']}\n{row[column]}" for _, row in table.iterrows())
    return {f"{column}s": digest_of_text("\n".join(pairs))}
