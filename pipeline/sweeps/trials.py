"""Runs a trial of HARIVO's: a training with another learning rate, queue, timesteps or seed, and its clips."""

from pathlib import Path

from pipeline.config import paths
from pipeline.config.params import Params
from pipeline.evaluation.measuring import measurer
from pipeline.sweeps.sampled import sample_and_measure
from pipeline.sweeps.trained import trained
from pipeline.sweeps.variants import trial_training, with_trial


def run(params: Params, name: str, scratch: Path, target: Path) -> None:
    """Leave the curves of a trial's training in `target`, and what the features stage measures of its clips.

    Prompts and noise are those of every other method, and the same in all trials. Killed and started again, it goes on
    with the training, or with the clips, where it was.

    Args:
        scratch: folder of the trial's weights and clips; safe to remove.

    Raises:
        ValueError: if no clip could be made.
    """
    wanted = trial_training(params, name)
    shipped = paths.world_model(params.harivo.trials.points[name].training)
    weights = trained(name, wanted, params.embed, scratch) if wanted else shipped
    variant = with_trial(params, name, weights)
    sample_and_measure(variant, name, measurer(params.features), scratch, target, [weights / paths.HISTORY])
