"""A point of ETC's: a method with another trained model, or at another frame rate; sampled and measured."""

from dataclasses import replace
from pathlib import Path

from pipeline.config import paths
from pipeline.config.generate import Method
from pipeline.config.params import Params
from pipeline.evaluation.measuring import measurer
from pipeline.sweeps.cuts import CutReadings
from pipeline.sweeps.sampled import sample_and_measure


def run(params: Params, name: str, scratch: Path, target: Path) -> None:
    """Leave what is measured of a point's clips in `target`, as the features stage does, and whether they are cut
    wrongly; see `sample_and_measure`."""
    usual = measurer(params.features)
    with_cuts = replace(usual, networks=[*usual.networks, CutReadings()])
    sample_and_measure(with_etc_point(params, name), name, with_cuts, scratch, target)


def with_etc_point(params: Params, name: str) -> Params:
    """The parameters with the method `name`, a variant of `etc.method`, alone, asked for the prompts of a point."""
    point, base = params.etc.points[name], params.generate.methods[params.etc.method]
    changes: dict[str, object] = {
        "trained": str(paths.world_model(point.training)),
        "limit": params.etc.prompts,
        "seeds": 1,
    }
    if point.rate is not None:
        changes["rate"] = point.rate
    method = Method.model_validate(base.model_dump() | changes)
    generate = params.generate.model_copy(update={"methods": {name: method}})
    return params.model_copy(update={"generate": generate})
