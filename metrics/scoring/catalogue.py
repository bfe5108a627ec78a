"""The metrics of videos, one record each, by name. Loads nothing heavy: what computes is imported when it is called."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from metrics.distances import manifold
from metrics.distances.fvd import MIN_CLIPS
from metrics.scoring.metric import Estimate, Metric, Sample
from metrics.scoring.per_clip import PER_CLIP

if TYPE_CHECKING:
    import numpy as np

    from metrics.scoring.protocol import Protocol
    from metrics.statistics.bootstrap import Distance
    from metrics.statistics.sides import Features


def _fvd(protocol: "Protocol") -> "Distance":
    from metrics.statistics.bootstrap import fvd_distance

    return fvd_distance(protocol.ddof)


def _kvd(_: "Protocol") -> "Distance":
    from metrics.statistics.bootstrap import kvd_distance

    return kvd_distance


def _fvd_infinity(sample: Sample) -> Estimate:
    from metrics.statistics.bootstrap import NOTHING
    from metrics.statistics.extrapolation import SMALLEST, fvd_infinity, subsets

    assert sample.real is not None
    gen, real = sample.gen.features, sample.real.features
    smallest = max(SMALLEST, math.ceil(SMALLEST / 400 * gen.values.shape[1]))  # wider features than I3D's want more
    interval = fvd_infinity(gen, real, sample.uncertainty, sample.protocol.ddof, smallest)
    if interval is None:
        return Estimate(NOTHING, f"needs {2 * smallest} clips a side")
    return Estimate(interval, choices={"subsets": subsets(smallest)})


def _without_interval(value: float) -> Estimate:
    """A value that nothing here gives an interval for: a resample holds copies, which are neighbours at no distance."""
    from metrics.statistics.bootstrap import Interval

    return Estimate(Interval(value, math.nan, math.nan))


def _jedi(sample: Sample) -> Estimate:
    from metrics.distances.jedi import jedi

    assert sample.real is not None
    return _without_interval(jedi(sample.gen.features.values, sample.real.features.values))


def _of_balls(k: int, value: "Callable[[Features, Features], float]") -> Callable[[Sample], Estimate]:
    """A metric of the balls to the k-th neighbour, which sides of k clips or fewer do not have."""

    def estimate(sample: Sample) -> Estimate:
        from metrics.statistics.bootstrap import NOTHING

        assert sample.real is not None
        gen, real = sample.gen.features, sample.real.features
        if min(gen.clips, real.clips) <= k:
            return Estimate(NOTHING, f"needs {k + 1} clips a side")
        return _without_interval(value(gen, real))

    return estimate


# Draws of n clips a side from the toy world's reference, the 1,200 with the least first feature against the 1,248 with
# the greatest: without the clip that matters most, KVD is off by 1.5 times its value of all clips (n = 9), by 1.0 (16),
# by 0.5 (33) and by 0.3 times (64), in the median of 60 draws.
_MIN_CLIPS_OF_KVD = 16


@lru_cache(maxsize=4)  # several metrics ask for the same, and one reference is compared with many methods
def _radii(side: "Features", k: int) -> "np.ndarray":
    return manifold.squared_radii(side.values, k, side.groups)


def _precision(gen: "Features", real: "Features") -> float:
    return manifold.precision(gen.values, real.values, _radii(real, manifold.FEW_NEIGHBOURS))


def _recall(gen: "Features", real: "Features") -> float:
    return _precision(real, gen)


def _density(gen: "Features", real: "Features") -> float:
    k = manifold.NEIGHBOURS
    return manifold.density(gen.values, real.values, _radii(real, k), k)


def _coverage(gen: "Features", real: "Features") -> float:
    return manifold.coverage(gen.values, real.values, _radii(real, manifold.NEIGHBOURS))


def _share(name: str, label: str, k: int, value: "Callable[[Features, Features], float]") -> Metric:
    return Metric(
        name,
        label,
        True,
        3,
        needs="real",
        by_name=True,
        network="i3d",
        estimate=_of_balls(k, value),
        clips=manifold.MIN_CLIPS,
    )


FVD = Metric("fvd", "FVD", False, 1, needs="real", network="i3d", distance=_fvd, ddof=True, clips=MIN_CLIPS)
FVD_INFINITY = Metric(
    "fvd_inf", "FVD∞", False, 1, needs="real", network="i3d", estimate=_fvd_infinity, ddof=True, clips=MIN_CLIPS
)
KVD = Metric("kvd", "KVD", False, 2, needs="real", network="i3d", distance=_kvd, clips=_MIN_CLIPS_OF_KVD)
JEDI = Metric("jedi", "JEDi", False, 3, needs="real", by_name=True, network="i3d", estimate=_jedi)
PRECISION = _share("precision", "Precision", manifold.FEW_NEIGHBOURS, _precision)
RECALL = _share("recall", "Recall", manifold.FEW_NEIGHBOURS, _recall)
DENSITY = _share("density", "Density", manifold.NEIGHBOURS, _density)
COVERAGE = _share("coverage", "Coverage", manifold.NEIGHBOURS, _coverage)
OF_SETS = (FVD, FVD_INFINITY, KVD, JEDI, PRECISION, RECALL, DENSITY, COVERAGE)

METRICS = {metric.name: metric for metric in (*OF_SETS, *PER_CLIP)}
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
