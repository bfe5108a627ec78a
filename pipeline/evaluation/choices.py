"""What each part of RichSpace's Algorithm 2 is worth: its step beside others, on the oracle's verdicts on every step.

The unit is a pair of mixture and seed. Intervals and tests resample and flip mixtures, whose clips are alike.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from metrics.statistics.bootstrap import Interval, Uncertainty, paired_mean_difference
from metrics.statistics.clusters import sign_flip
from metrics.statistics.testing import holm
from pipeline.evaluation.oracle import FEWEST, groups, rate
from pipeline.richspace.choices import CHOICES, OPTIMUM, RANDOM

_RATE, _GAP = ("value", "low", "high"), ("difference", "difference_low", "difference_high")
_TESTED = ("better", "worse", "p")
COLUMNS = ("attribute", "choice", "n", "mixtures", *_RATE, *_GAP, *_TESTED, "p_holm")
_DIGITS = 2  # of percent


def table(verdicts: pd.DataFrame, chosen: pd.DataFrame, uncertainty: Uncertainty) -> pd.DataFrame:
    """A row for each attribute, and all, and each choice; rates in percent of the n pairs of mixture and seed.

    value: how often the choice's step shows the mixture; of `random` the mean over steps 1 … k. difference: that of
    RichSpace's step, less this; better, worse: mixtures that RichSpace's step shows with more, or fewer, seeds. p: of
    flipping mixtures, two-sided; p_holm: corrected within the attribute. NaN for fewer than FEWEST mixtures, and where
    a choice takes RichSpace's step everywhere.

    Args:
        verdicts: the oracle's. chosen: what `pipeline.sweeps.choices.steps` says.
    """
    if not len(verdicts) or not len(chosen):
        return pd.DataFrame(columns=list(COLUMNS))
    shown = shares(verdicts, chosen)
    rows = [row for name, own in groups(shown) for row in _of_attribute(name, own, uncertainty)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def shares(verdicts: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """A row for each attribute, mixture and seed, a column for each choice: whether its step shows the mixture, 0 or 1;
    of `random` the share of steps 1 … k that do."""
    clips = verdicts[verdicts.step.notna()]
    clips = clips.assign(success=clips.success.astype(float), step=clips.step.astype(int))
    key = ["attribute", "mixture", "seed"]
    taken = clips.merge(chosen[["mixture", "choice", "step"]], on=["mixture", "step"])
    wide = taken.pivot(index=key, columns="choice", values="success")
    wide[RANDOM] = clips[clips.step > 0].groupby(key).success.mean()
    return wide[[choice for choice in CHOICES if choice in wide]].reset_index()


def _of_attribute(name: str, own: pd.DataFrame, uncertainty: Uncertainty) -> list[dict[str, Any]]:
    mixture = pd.factorize(own.mixture)[0]
    choices = [choice for choice in CHOICES if choice in own]
    rows = [_row(choice, own, mixture, uncertainty) for choice in choices]
    p = holm(np.array([row["p"] for row in rows]))
    counts = {"attribute": name, "n": len(own), "mixtures": int(mixture.max()) + 1}
    return [counts | row | {"p_holm": float(corrected)} for row, corrected in zip(rows, p, strict=True)]


def _row(choice: str, own: pd.DataFrame, mixture: np.ndarray, uncertainty: Uncertainty) -> dict[str, Any]:
    """One choice's rate and RichSpace's difference from it."""
    optimum, other = own[OPTIMUM].to_numpy(float), own[choice].to_numpy(float)
    found = {"choice": choice} | _percent(_RATE, rate(other, mixture, uncertainty))
    nan, difference = float("nan"), optimum - other
    if choice == OPTIMUM:
        return found | dict.fromkeys((*_GAP, *_TESTED), nan)
    told_apart = mixture.max() + 1 >= FEWEST and bool(difference.any())
    own_way = uncertainty if told_apart else replace(uncertainty, resamples=0)
    gap = _percent(_GAP, paired_mean_difference(optimum, other, own_way, mixture))
    by_mixture = np.bincount(mixture, difference)
    counts = {"better": int((by_mixture > 0).sum()), "worse": int((by_mixture < 0).sum())}
    return found | gap | counts | {"p": sign_flip(difference, mixture, uncertainty.seed) if told_apart else nan}


def _percent(names: Sequence[str], interval: Interval) -> dict[str, float]:
    values = (interval.value, interval.low, interval.high)
    return {name: round(100 * value, _DIGITS) for name, value in zip(names, values, strict=True)}
