"""How often any step of RichSpace's interpolation shows a mixture, and how often the step that RichSpace chooses does.

The unit is a pair of mixture and seed, whose clips share their initial noise. Clips of one mixture are not independent,
so intervals come from resampling mixtures, never clips.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from metrics.statistics.bootstrap import Interval, Uncertainty, mean_interval
from metrics.statistics.proportions import wilson
from pipeline.world.scene import ATTRIBUTES

FEWEST = 5  # mixtures that an interval needs: of fewer, resampling them says nothing
ALL = "all"  # the row of all attributes together
RATES = ("oracle", "midpoint", "richspace", "guide")
_BOUNDS = tuple(f"{name}_{bound}" for name in (*RATES, "share") for bound in ("low", "high"))
COLUMNS = ("attribute", "n", *RATES, "between", "mixtures", "mixtures_shown", "share", *_BOUNDS)
_SHOWN = ("success", "present", "shared", "one_object")
STEP_COLUMNS = ("attribute", "step", "weight", "n", *_SHOWN, "position")
_DIGITS = 2  # of percent
_PAIR = ["attribute", "mixture", "seed"]


def read(path: Path) -> pd.DataFrame:
    """The oracle stage's verdicts; none where it has not run, as in a run without RichSpace."""
    if not path.is_file():
        return pd.DataFrame()
    return pd.read_csv(path, dtype={"step": "Int64"})


def table(verdicts: pd.DataFrame, uncertainty: Uncertainty) -> pd.DataFrame:
    """A row for each attribute that is mixed, and one for all; rates in percent of the n pairs of mixture and seed.

    oracle: any step 0 … k shows the mixture. between: any step but the ends, which are the parts alone. midpoint: the
    step k/2 does. richspace: the step that RichSpace chooses does. guide: the guide prompt does. mixtures: how many;
    mixtures_shown: percent of them that any step of any seed shows. share: RichSpace's successes in percent of the
    oracle's; NaN where no step shows a mixture. <rate>_low, <rate>_high: the interval; NaN for fewer than FEWEST
    mixtures.
    """
    if not len(verdicts):
        return pd.DataFrame(columns=list(COLUMNS))
    shown = pairs(verdicts)
    rows = [_row(name, own, uncertainty) for name, own in groups(shown)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).round(_DIGITS)


def by_step(verdicts: pd.DataFrame) -> pd.DataFrame:
    """A row for each attribute, and all, and step 0 … k: weight of part a, n clips, percent of them that show the
    mixture, and each condition of that, and the median of the measured positions between the parts (0 at a, 1 at b)."""
    if not len(verdicts):
        return pd.DataFrame(columns=list(STEP_COLUMNS))
    steps = verdicts[verdicts.step.notna()]
    steps = steps.assign(present=steps.present_a & steps.present_b)
    rows = [
        {"attribute": name, "step": int(step), "weight": int(step) / int(clips.k.iloc[0]), "n": len(clips)}
        | {key: 100 * clips[key].mean() for key in _SHOWN}
        | {"position": clips.position.median()}
        for name, own in groups(steps)
        for step, clips in own.groupby("step")
    ]
    return pd.DataFrame(rows, columns=list(STEP_COLUMNS)).round(_DIGITS)


def pairs(verdicts: pd.DataFrame) -> pd.DataFrame:
    """A row for each attribute, mixture and seed: whether any step (oracle), any but the ends (between), the midpoint,
    RichSpace's step and the guide prompt show the mixture, bool."""
    steps = verdicts[verdicts.step.notna()]
    clips = {
        "oracle": steps,
        "between": steps[(steps.step > 0) & (steps.step < steps.k)],
        "midpoint": steps[2 * steps.step == steps.k],
        "richspace": steps[steps.step == steps.optimum],
        "guide": verdicts[verdicts.step.isna()],
    }
    shown = {name: own.groupby(_PAIR, sort=False).success.any() for name, own in clips.items()}
    return pd.DataFrame(shown).reset_index()


def groups(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each attribute that has any, and all rows."""
    for attribute in ATTRIBUTES:
        own = rows[rows.attribute == attribute]
        if len(own):
            yield attribute, own
    yield ALL, rows


def _row(name: str, own: pd.DataFrame, uncertainty: Uncertainty) -> dict[str, Any]:
    mixture = pd.factorize(own.mixture)[0]
    uncertainty = _known(mixture, uncertainty)
    rates = {name: rate(own[name].to_numpy(float), mixture, uncertainty) for name in RATES}
    rates["share"] = _share(own.groupby("mixture")[["richspace", "oracle"]].sum().to_numpy(), uncertainty)
    values = {key: 100 * found.value for key, found in rates.items()}
    bounds = {f"{key}_{end}": 100 * getattr(found, end) for key, found in rates.items() for end in ("low", "high")}
    mixtures = own.groupby("mixture").oracle.any()
    counts = {"n": len(own), "mixtures": len(mixtures), "mixtures_shown": 100 * mixtures.mean()}
    return {"attribute": name, "between": 100 * own.between.mean(), **counts, **values, **bounds}


def _known(mixture: np.ndarray, uncertainty: Uncertainty) -> Uncertainty:
    """How intervals are made of so many mixtures: not at all of fewer than FEWEST."""
    return replace(uncertainty, resamples=0) if mixture.max() + 1 < FEWEST else uncertainty


def rate(shown: np.ndarray, mixture: np.ndarray, uncertainty: Uncertainty) -> Interval:
    """A share of pairs (n,) with the interval that resampling mixtures gives, none for fewer than FEWEST; where all
    mixtures are alike there is nothing to resample, and it is Wilson's, of as many observations as there are
    mixtures."""
    uncertainty = _known(mixture, uncertainty)
    found = mean_interval(shown, uncertainty, mixture)
    if not uncertainty.resamples or found.low < found.high:
        return found
    count = int(mixture.max()) + 1
    alike = wilson(round(found.value * count), count, uncertainty.confidence)
    return Interval(found.value, alike.low, alike.high)


def _share(successes: np.ndarray, uncertainty: Uncertainty) -> Interval:
    """RichSpace's successes over the oracle's, given both by mixture (m, 2); percentiles of resampled mixtures."""
    chosen, possible = successes.sum(axis=0)
    value = float(chosen / possible) if possible else float("nan")
    if not possible or len(successes) < 2 or not uncertainty.resamples:
        return Interval(value, float("nan"), float("nan"))
    rng = np.random.default_rng(uncertainty.seed)
    drawn = successes[rng.integers(len(successes), size=(uncertainty.resamples, len(successes)))].sum(axis=1)
    drawn = drawn[drawn[:, 1] > 0]
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], uncertainty.tails)
    return Interval(value, float(low), float(high))
