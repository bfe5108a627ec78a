"""Points of ETC's: a method with another trained model, at another frame rate, or with a short training of its own."""

from dataclasses import replace
from pathlib import Path

from pipeline.config import paths
from pipeline.config.params import Params
from pipeline.evaluation.measuring import measurer
from pipeline.sweeps.cuts import CutReadings
from pipeline.sweeps.etc_variants import short_training, with_etc_point
from pipeline.sweeps.sampled import sample_and_measure
from pipeline.sweeps.trained import trained


def run(params: Params, name: str, scratch: Path, target: Path) -> None:
    """Leave what is measured of a point's clips in `target`, as the features stage does, and whether they are cut
    wrongly; see `sample_and_measure`."""
    point = params.etc.points[name]
    weights = paths.world_model(point.training)
    _measure(with_etc_point(params, name, weights, point.rate, point.prompts), name, scratch, target)


def run_short(params: Params, name: str, scratch: Path, target: Path) -> None:
    """The same of a point of `etc.short`, after its training; killed and started again, that goes on where it was.

    Args:
        scratch: folder of the point's weights and clips; safe to remove.
    """
    weights = trained(name, short_training(params, name), params.embed, scratch)
    prompts = params.etc.short.prompts
    _measure(with_etc_point(params, name, weights, prompts=prompts), name, scratch, target)


def _measure(params: Params, name: str, scratch: Path, target: Path) -> None:
    usual = measurer(params.features)
    with_cuts = replace(usual, networks=[*usual.networks, CutReadings()])
    sample_and_measure(params, name, with_cuts, scratch, target)
