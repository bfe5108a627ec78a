"""Err. of ETC's Table 2: the share of clips that were cut out of their grid in the wrong places.

Only points of ETC's are read for it (pipeline/sweeps/cuts.py).
"""

from metrics.scoring.metric import Estimate
from metrics.statistics.bootstrap import Interval
from metrics.statistics.clusters import clustered_rate
from pipeline.config.code import code_hash
from pipeline.evaluation.sample import MethodSample

COLUMN = "cut_wrongly"


def rate(sample: MethodSample) -> Estimate | None:
    """Share of the scored clips that are cut wrongly, with an interval that counts prompts; None where it was
    not read."""
    table, confidence = sample.method.measured.table, sample.uncertainty.confidence
    if COLUMN not in table or table[COLUMN].isna().any() or not len(table):
        return None
    share = clustered_rate(table[COLUMN].to_numpy(bool), sample.clusters(table), confidence)
    code = code_hash("pipeline.world.cuts")
    choices = {"name": COLUMN, "code": code, "interval": sample.wilson, "denominator": "scored"}
    return Estimate(Interval(share.value, share.low, share.high), choices=choices)
