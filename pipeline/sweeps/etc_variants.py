"""A point of ETC's as what it is: parameters in which a method, and for some a training, differ from others."""

from pathlib import Path

from pipeline.config import paths
from pipeline.config.etc import ShortPoint
from pipeline.config.generate import Method
from pipeline.config.params import Params
from pipeline.config.specs import EtcSpec, Filtered
from pipeline.config.train import EtcTraining
from pipeline.sweeps.variants import shortened
from pipeline.world.scene import HEIGHT, WIDTH


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


def with_larger_point(params: Params, name: str, weights: Path) -> Params:
    """The parameters with the method `name` alone, which samples clips of the point's size."""
    larger = params.etc.larger
    point = larger.points[name]
    wanted = with_etc_point(params, name, weights, point.rate, larger.prompts)
    key = wanted.generate.methods[name].model
    model = wanted.generate.models[key]
    size = {"frames": point.frames, "height": point.height, "width": point.height * WIDTH // HEIGHT}
    sampling = model.sampling.model_copy(update=size)
    models = wanted.generate.models | {key: model.model_copy(update={"sampling": sampling})}
    return wanted.model_copy(update={"generate": wanted.generate.model_copy(update={"models": models})})


def larger_training(params: Params, name: str) -> EtcTraining:
    """The few steps of a point of `etc.larger`, from the shipped weights of its training."""
    larger = params.etc.larger
    point, base = larger.points[name], params.train[larger.training]
    assert isinstance(base, EtcTraining)  # checked with params.yaml
    changes = {
        "starts_from": str(paths.world_model(larger.training)),
        "length": point.frames,
        "height": point.height,
        "batch": point.batch,
        "used": min(base.spec.used, point.steps * point.batch),
        "validation_prompts": 1,
    }
    spec = EtcSpec.model_validate(base.spec.model_dump() | changes)
    return base.model_copy(update={"spec": spec, "schedule": shortened(base.schedule, point.steps)})
