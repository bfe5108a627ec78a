"""A point of a sweep as what it is: parameters in which a method, and for weights λ a training, differ from others."""

from pathlib import Path

from pipeline.config.generate import Generate, Method
from pipeline.config.methods import check_options
from pipeline.config.params import Params, Sweep, SweepPoint
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


def _method(generate: Generate, sweep: Sweep, point: SweepPoint, motion: Path) -> Method:
    changes = {"mg": bool(point.mg_scale)} if not point.weights else {"mg": False, "motion": motion.as_posix()}
    base = generate.methods[sweep.method]
    method = Method.model_validate(base.model_dump() | {"limit": sweep.prompts, "seeds": 1} | changes)
    family = generate.models[method.model].family
    check_options("harivo.sweep.method", method.module, family, method.options, Method.model_fields)
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


def shortened(schedule: Schedule, steps: int) -> Schedule:
    """A training's schedule in so many steps."""
    return schedule.model_copy(
        update={"steps": steps, "warmup": int(WARMUP * steps), "checkpoint_every": min(_CHECKPOINTS, steps)}
    )
