"""Points of Make-A-Video's: its cascade with one part after the other left out or replaced."""

from pathlib import Path

from pipeline.config.generate import Method
from pipeline.config.params import Params
from pipeline.evaluation.measuring import measurer
from pipeline.sweeps.sampled import sample_and_measure


def with_point(params: Params, name: str) -> Params:
    """The parameters with the method `name` alone, a variant of `make_a_video.method`."""
    wanted = params.make_a_video
    point, base = wanted.points[name], params.generate.methods[wanted.method]
    changes = {"model": point.model or base.model, "limit": wanted.prompts, "seeds": 1, **point.options}
    method = Method.model_validate(base.model_dump() | changes)
    return params.model_copy(update={"generate": params.generate.model_copy(update={"methods": {name: method}})})


def run(params: Params, name: str, scratch: Path, target: Path) -> None:
    """Leave what is measured of a point's clips in `target`, as the features stage does; see `sample_and_measure`."""
    sample_and_measure(with_point(params, name), name, measurer(params.features), scratch, target)
