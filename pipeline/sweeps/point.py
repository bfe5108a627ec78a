"""Runs a point of a sweep: trains, where it changes a training, and makes and measures its clips as any method's."""

from contextlib import nullcontext
from pathlib import Path

from metrics.hashing import fingerprint
from metrics.scoring.cache import FeatureCache
from metrics.scoring.measuring import Measurer
from metrics.scoring.protocol import named
from pipeline.config.params import Params
from pipeline.evaluation.measuring import JudgeReadings
from pipeline.sweeps.sampled import sample_and_measure
from pipeline.sweeps.variants import training_of, with_point
from pipeline.training import run as training
from pipeline.training.identity import identity
from pipeline.training.loop import silent


def run(params: Params, name: str, scratch: Path, target: Path) -> None:
    """Leave what the judge measures of a point's clips in `target`, as the features stage does for a method.

    Prompts and noise are those of every other method, and the same in all points. Killed and started again, it goes on
    with the training, or with the clips, where it was.

    Args:
        scratch: folder of the point's weights and clips; safe to remove.

    Raises:
        ValueError: if no clip could be made.
    """
    variant = with_point(params, name, _trained(params, name, scratch))
    measurer = Measurer([JudgeReadings()], named("reelbench"), FeatureCache(None), workers=0)
    sample_and_measure(variant, name, measurer, scratch, target)


def _trained(params: Params, name: str, scratch: Path) -> Path:
    """The folder of a point's temporal layers, trained unless they are there; of a point of α nothing is."""
    wanted = training_of(params, name)
    if wanted is None:
        return scratch
    folder = scratch / f"model-{fingerprint([identity(name, wanted, params.embed)])}"
    if not (folder / training.HISTORY).is_file():
        training.run(name, wanted, params.embed, folder, scratch, lambda: nullcontext(silent))
    return folder
