"""Runs a point of a sweep: trains, where it changes a training, and makes and measures its clips as any method's."""

from pathlib import Path

from metrics.scoring.cache import FeatureCache
from metrics.scoring.measuring import Measurer
from metrics.scoring.protocol import named
from pipeline.config.params import Params
from pipeline.evaluation.measuring import JudgeReadings
from pipeline.sweeps.sampled import sample_and_measure
from pipeline.sweeps.trained import trained
from pipeline.sweeps.variants import training_of, with_point


def run(params: Params, name: str, scratch: Path, target: Path) -> None:
    """Leave what the judge measures of a point's clips in `target`, as the features stage does for a method.

    Prompts and noise are those of every other method, and the same in all points. Killed and started again, it goes on
    with the training, or with the clips, where it was.

    Args:
        scratch: folder of the point's weights and clips; safe to remove.

    Raises:
        ValueError: if no clip could be made.
    """
    wanted = training_of(params, name)  # of a point of α nothing is trained
    weights = trained(name, wanted, params.embed, scratch) if wanted else scratch
    variant = with_point(params, name, weights)
    measurer = Measurer([JudgeReadings()], named("reelbench"), FeatureCache(None), workers=0)
    sample_and_measure(variant, name, measurer, scratch, target)
