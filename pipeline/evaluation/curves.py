"""FVD by the seed, and against the number of clips."""

from typing import Any

import pandas as pd

from metrics.distances.fvd import between, root
from metrics.scoring.measured import Measured
from metrics.scoring.summary import few_clips
from metrics.statistics.extrapolation import fvd_by_clips, over_seeds
from pipeline.evaluation.evaluated import Evaluated

SEED_COLUMNS = ("method", "clips", "seeds", "mean", "sd", "minimum_of_3", "flag")
CURVE_COLUMNS = ("method", "n", "seed", "fvd", "flag")
_SIZES = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)


def fvd_by_seed(method: Evaluated, reference: Measured) -> list[dict[str, Any]]:
    """FVD of each seed's clips, one row: mean, standard deviation, and the minimum over the first three seeds (ETC,
    E.3). No row if no seed has two clips."""
    table, logits, real = method.measured.table, method.measured.logits, reference.logits
    counts = table.seed.value_counts().sort_index()
    counts = counts[counts > 1]
    if not len(counts) or len(real) < 2:
        return []
    ddof = method.protocol.ddof
    against = root(real, ddof)
    fvds = [between(root(logits[(table.seed == seed).to_numpy()], ddof), against) for seed in counts.index]
    summary, clips = over_seeds(fvds), int(counts.min())
    return [
        {
            "method": method.name,
            "clips": clips,
            "seeds": summary.n,
            "mean": summary.mean,
            "sd": summary.sd,
            "minimum_of_3": over_seeds(fvds[:3]).minimum if len(fvds) >= 3 else float("nan"),
            "flag": few_clips(clips, len(real)),
        }
    ]


def fvd_curve(method: Evaluated, reference: Measured, seeds: int) -> list[dict[str, Any]]:
    """FVD against the number of clips (ETC, Figure 17), for subsets drawn with several seeds."""
    gen, real = method.measured.logits, reference.logits
    if min(len(gen), len(real)) < 2:
        return []
    sizes = [*(size for size in _SIZES if size <= 0.8 * len(gen)), len(gen)]
    curve = fvd_by_clips(gen, real, sizes, range(seeds), method.protocol.ddof)
    flags = [few_clips(n, len(real)) for n in curve.n]
    return pd.DataFrame(curve.assign(method=method.name, flag=flags)).to_dict("records")
