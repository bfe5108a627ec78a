"""FVD against the number of clips."""

from typing import Any

import pandas as pd

from metrics.scoring.measured import Measured
from metrics.scoring.summary import few_clips
from metrics.statistics.extrapolation import fvd_by_clips
from pipeline.evaluation.evaluated import Evaluated

CURVE_COLUMNS = ("method", "n", "seed", "fvd", "flag")
_SIZES = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)


def fvd_curve(method: Evaluated, reference: Measured, seeds: int) -> list[dict[str, Any]]:
    """FVD against the number of clips (ETC, Figure 17), for subsets drawn with several seeds."""
    gen, real = method.measured.logits, reference.logits
    if min(len(gen), len(real)) < 2:
        return []
    sizes = [*(size for size in _SIZES if size <= 0.8 * len(gen)), len(gen)]
    curve = fvd_by_clips(gen, real, sizes, range(seeds), method.protocol.ddof)
    flags = [few_clips(n, len(real)) for n in curve.n]
    return pd.DataFrame(curve.assign(method=method.name, flag=flags)).to_dict("records")
