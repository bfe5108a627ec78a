"""A point of a sweep as what it is: parameters in which a method, and for weights λ a training, differ from others."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.config.generate import Generate, Method
from pipeline.config.harivo import Sweep, SweepPoint
from pipeline.config.methods import check_options
from pipeline.config.params import Params
from pipeline.config.train import MotionTraining, Schedule

WARMUP = 0.1  # share of a short training's steps
_CHECKPOINTS = 50  # steps between two


def with_point(params: Params, name: str, motion: Path) -> Params:
    """The parameters with the method `name`, a variant of the swept one, alone, asked for the prompts of a point.

    A point of α samples the method's own temporal layers; a point of λ those in `motion`, which its short training
    leaves there, without the mitigating gradient.

    Raises:
        ValueError: if the method knows neither temporal layers nor a mitigating gradient.
    """
    point, harivo = params.harivo.sweep.points[name], params.harivo
    scale = harivo.mg_scale if point.mg_scale is None else point.mg_scale
    method = _method(params.generate, harivo.sweep, point, motion)
    generate = params.generate.model_copy(update={"methods": {name: method}})
    return params.model_copy(update={"generate": generate, "harivo": harivo.model_copy(update={"mg_scale": scale})})


def with_trial(params: Params, name: str, motion: Path) -> Params:
    """The parameters with the method `name` alone, which samples a trial's temporal layers, in the folder `motion`.

    Raises:
        ValueError: if the method that is sampled knows neither temporal layers nor a mitigating gradient.
    """
    trials = params.harivo.trials
    point = trials.points[name]
    changes = {"mg": point.mg, "motion": motion.as_posix(), "limit": point.prompts or trials.prompts}
    method = _changed("harivo.trials.method", params.generate, trials.method, changes)
    generate = params.generate.model_copy(update={"methods": {name: method}})
    return params.model_copy(update={"generate": generate})


def _method(generate: Generate, sweep: Sweep, point: SweepPoint, motion: Path) -> Method:
    changes = {"mg": bool(point.mg_scale)} if not point.weights else {"mg": False, "motion": motion.as_posix()}
    return _changed("harivo.sweep.method", generate, sweep.method, changes | {"limit": sweep.prompts})


def _changed(key: str, generate: Generate, name: str, changes: Mapping[str, object]) -> Method:
    """A method with other options, a clip of each prompt. key: what in params.yaml names it."""
    method = Method.model_validate(generate.methods[name].model_dump() | {"seeds": 1} | dict(changes))
    family = generate.models[method.model].family
    check_options(key, method.module, family, method.options, Method.model_fields)
    return method


def training_of(params: Params, name: str) -> MotionTraining | None:
    """The short training of a point of λ, on no more scenes than it can see; its one validation clip is for the curves
    alone. None for a point of α."""
    sweep = params.harivo.sweep
    point, base = sweep.points[name], params.train[sweep.training]
    if not point.weights or not isinstance(base, MotionTraining):
        return None
    used = min(base.spec.used, sweep.steps * sweep.batch)
    short = {"batch": sweep.batch, "used": used, "validation_prompts": 1}
    return base.model_copy(
        update={
            "spec": base.spec.model_copy(update=point.weights | short),
            "schedule": shortened(base.schedule, sweep.steps),
        }
    )


def trial_training(params: Params, name: str) -> MotionTraining | None:
    """The training of a trial, on no more scenes than it can see; its one validation clip is for the curves alone. None
    where its weights come with the repository."""
    point = params.harivo.trials.points[name]
    base = params.train[point.training]
    assert isinstance(base, MotionTraining)  # checked with params.yaml
    if not point.changes:
        return None
    schedule = base.schedule if point.steps is None else shortened(base.schedule, point.steps)
    spec = base.spec.model_copy(update=point.of_spec)
    fewer = {"used": min(spec.used, schedule.steps * spec.batch), "validation_prompts": 1}
    return base.model_copy(
        update={
            "spec": spec.model_copy(update=fewer),
            "schedule": schedule.model_copy(update=point.of_schedule),
        }
    )


def shortened(schedule: Schedule, steps: int) -> Schedule:
    """A training's schedule in so many steps."""
    return schedule.model_copy(
        update={"steps": steps, "warmup": int(WARMUP * steps), "checkpoint_every": min(_CHECKPOINTS, steps)}
    )
