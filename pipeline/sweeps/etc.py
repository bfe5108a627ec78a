"""Points of ETC's: a method with another trained model, at another frame rate, or with a short training of its own."""

from dataclasses import replace
from pathlib import Path

from pipeline.config import paths
from pipeline.config.etc import ShortPoint
from pipeline.config.generate import Method
from pipeline.config.params import Params
from pipeline.config.train import EtcSpec, EtcTraining, Filtered
from pipeline.evaluation.measuring import measurer
from pipeline.sweeps.cuts import CutReadings
from pipeline.sweeps.sampled import sample_and_measure
from pipeline.sweeps.trained import shortened, trained


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


def with_etc_point(
    params: Params, name: str, weights: Path, rate: float | None = None, prompts: int | None = None
) -> Params:
    """The parameters with the method `name` alone, a variant of `etc.method`.

    Args:
        weights: folder of the trained model. rate: frames a second, None for the method's own. prompts: how many it is
            asked for, None for as many as a point of `etc.points`.
    """
    base = params.generate.methods[params.etc.method]
    changes: dict[str, object] = {"trained": str(weights), "limit": prompts or params.etc.prompts, "seeds": 1}
    if rate is not None:
        changes["rate"] = rate
    method = Method.model_validate(base.model_dump() | changes)
    generate = params.generate.model_copy(update={"methods": {name: method}})
    return params.model_copy(update={"generate": generate})


def short_training(params: Params, name: str) -> EtcTraining:
    """The training of a point of `etc.short`; its one validation clip is for the curves alone."""
    short = params.etc.short
    point, base = short.points[name], params.train[short.training]
    assert isinstance(base, EtcTraining)  # checked with params.yaml
    changes: dict[str, object] = {"validation_prompts": 1, "filtered": _filtered(params, point)}
    if point.used is not None:
        changes["used"] = point.used
    spec = EtcSpec.model_validate(base.spec.model_dump() | changes)
    return base.model_copy(update={"spec": spec, "schedule": shortened(base.schedule, point.steps)})


def _filtered(params: Params, point: ShortPoint) -> Filtered | None:
    """The collection that a point's filter ratio is of, scored by the dual encoder that measures CLIPSIM."""
    if point.filter_ratio is None:
        return None
    clip, tower = params.features.clip, params.features.clip_text_tower
    return Filtered(spoilt=params.etc.short.spoilt, ratio=point.filter_ratio, clip=clip, text_tower=tower)


def _measure(params: Params, name: str, scratch: Path, target: Path) -> None:
    usual = measurer(params.features)
    with_cuts = replace(usual, networks=[*usual.networks, CutReadings()])
    sample_and_measure(params, name, with_cuts, scratch, target)
