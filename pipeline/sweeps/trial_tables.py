"""The results of HARIVO's trials: a row per trial, with what its training's curves end at and what its clips show."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config import paths
from pipeline.config.params import Params
from pipeline.config.train import MotionTraining
from pipeline.sweeps.tables import measured, results_of
from pipeline.sweeps.variants import trial_training

DIFFERS = ("steps", "batch", "learning_rate", "seed", "queue", "other_content", "limit_dc", "timestep_power", "mg")
CONTRAST = ("dc_over_chance", "dc_positive", "dc_negative")
_LAST = 0.2  # share of a training that the means at its end are over
_WEIGHTS = {"trs": "lambda_trs", "reg": "lambda_reg", "dc": "lambda_dc"}


def read(params: Params) -> pd.DataFrame:
    """A row for every trial: `point`, `training`, what trials differ in, `clips`, metric, metric_low, metric_high of
    each metric that the evaluate stage found, and of the curves what `at_the_end` says.

    Raises:
        FileNotFoundError: if a trial has no results.
    """
    results, rows = results_of(paths.TRIALS), []
    for name, point in params.harivo.trials.points.items():
        if name not in results:
            raise FileNotFoundError(f"{paths.TRIALS} lacks the trial {name}: run its stage and the evaluate stage")
        training = trial_training(params, name) or params.train[point.training]
        assert isinstance(training, MotionTraining)  # checked with params.yaml
        known = training.spec.model_dump() | training.schedule.model_dump() | {"mg": point.mg}
        about = {"point": name, "training": point.training} | {key: known[key] for key in DIFFERS}
        rows.append(about | at_the_end(paths.trial(name), training) | measured(results[name]))
    return pd.DataFrame(rows)


def at_the_end(folder: Path, training: MotionTraining) -> dict[str, float]:
    """What the curves of a training come to.

    validation_loss: of the trained weights. Of what shows whether the contrast learns (`CONTRAST`) the mean over the
    last fifth of the training and, as `<name>_last`, what was logged last. negatives: how many L_DC had by then, fewer
    than its queue holds until that is full. share_<part>: over all of the training, the median of the norm of λ times
    the gradient of a part of the loss, over that of L_simple.
    """
    history = pd.read_csv(folder / paths.HISTORY)
    last = history[history.step > (1 - _LAST) * training.schedule.steps]
    found = {"validation_loss": float(history.validation_loss.dropna().iloc[-1])}
    for name in (name for name in CONTRAST if name in history):
        found |= {name: float(last[name].mean()), f"{name}_last": float(last[name].dropna().iloc[-1])}
    if "dc_over_chance" in history:  # L_DC less ln n
        found["negatives"] = float(np.exp((last.loss_dc - last.dc_over_chance).dropna().iloc[-1]))
    for part, weight in _WEIGHTS.items():
        if f"grad_norm_{part}" in history and (of_all := getattr(training.spec, weight)):
            ratio = of_all * history[f"grad_norm_{part}"] / history.grad_norm_simple
            found[f"share_{part}"] = float(ratio.median())
    return found
