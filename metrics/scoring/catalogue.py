"""The metrics of videos, one record each, by name. Loads nothing heavy: what computes is imported when it is called."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from metrics.distances.fvd import MIN_CLIPS
from metrics.scoring.metric import Estimate, Metric, Sample
from metrics.scoring.per_clip import PER_CLIP

if TYPE_CHECKING:
    from metrics.scoring.protocol import Protocol
    from metrics.statistics.bootstrap import Distance


def _fvd(protocol: "Protocol") -> "Distance":
    from metrics.statistics.bootstrap import fvd_distance

    return fvd_distance(protocol.ddof)


def _kvd(_: "Protocol") -> "Distance":
    from metrics.statistics.bootstrap import kvd_distance

    return kvd_distance


def _fvd_infinity(sample: Sample) -> Estimate:
    from metrics.statistics.bootstrap import NOTHING
    from metrics.statistics.extrapolation import SMALLEST, SUBSETS, fvd_infinity

    assert sample.real is not None
    interval = fvd_infinity(sample.gen.features, sample.real.features, sample.uncertainty, sample.protocol.ddof)
    if interval is None:
        return Estimate(NOTHING, f"needs {2 * SMALLEST} clips a side")
    return Estimate(interval, choices={"subsets": SUBSETS})


FVD = Metric("fvd", "FVD", False, 1, needs="real", network="i3d", distance=_fvd, ddof=True, clips=MIN_CLIPS)
FVD_INFINITY = Metric(
    "fvd_inf", "FVD∞", False, 1, needs="real", network="i3d", estimate=_fvd_infinity, ddof=True, clips=MIN_CLIPS
)
KVD = Metric("kvd", "KVD", False, 2, needs="real", network="i3d", distance=_kvd)

METRICS = {metric.name: metric for metric in (FVD, FVD_INFINITY, KVD, *PER_CLIP)}
EVALUATED = tuple(name for name, metric in METRICS.items() if metric.needs != "pairs")
"""Names of the metrics that need no pairs of clips: those that the evaluate stage can compute."""


def checked(names: Sequence[str]) -> Sequence[str]:
    """The names, if all of them are metrics.

    Raises:
        ValueError: naming those that are not.
    """
    unknown = [name for name in names if name not in METRICS]
    if unknown:
        raise ValueError(f"no metric {', '.join(map(repr, unknown))}, expected some of {', '.join(METRICS)}")
    return names
