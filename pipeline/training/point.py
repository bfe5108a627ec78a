"""One point of HARIVO's sweeps: α at sampling time, or the weights λ of a short training; what the judge says of it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from metrics.bootstrap import Uncertainty, mean_interval
from metrics.proportions import wilson
from pipeline import animatediff, paths
from pipeline.guidance import Guidance
from pipeline.params import Harivo, SweepPoint, Training
from pipeline.sweeps import LAMBDAS, TRAINED
from pipeline.training.loop import Schedule, train
from pipeline.training.motion import MotionTask, build_task
from pipeline.world.attributes import ATTRIBUTES, attributes
from pipeline.world.judge import judge


def run(name: str, point: SweepPoint, wanted: Harivo, training: Training, checkpoints: Path, target: Path) -> None:
    """Sample (and, for λ, train) a point and write what the judge finds, as JSON.

    A point of α samples the shipped weights; a point of λ trains anew, a few steps, and samples without the mitigating
    gradient. The file has the parameters, `steps` of training (0 for α), `clips`, and `metrics`: {name: {value, low,
    high}}, shares with Wilson's interval, the others with a bootstrap's.
    """
    weights = {key: value for key, value in point.values.items() if key != "mg_scale"}
    schedule = Schedule(**training.schedule)
    task: MotionTask = build_task(training.spec | weights, schedule.seed, "")
    steps = wanted.sweep_steps if weights else 0
    if weights:
        short = replace(schedule, steps=steps, validate_every=steps, checkpoint_every=40)
        identity = json.dumps({"point": name, "spec": training.spec | weights, "schedule": str(short)})
        checkpoint = checkpoints / f"sweep-{name}.safetensors"
        train(task, short, checkpoint, identity, lambda step, metrics, picture: None)
    else:
        task.load_motion(paths.world_model(TRAINED))
    mg_scale = point.mg_scale or 0.0
    sampling = animatediff.Sampling(task.spec.sampling_steps, Guidance(task.spec.guidance), mg_scale)
    parameters = {"mg_scale": mg_scale, **{key: getattr(task.spec, key) for key in LAMBDAS}}
    metrics = _judged(task, wanted.sweep_prompts, sampling)
    _write(target, {**parameters, "steps": steps, "clips": wanted.sweep_prompts, "metrics": metrics})


def _judged(task: MotionTask, clips: int, sampling: animatediff.Sampling) -> dict[str, dict[str, float]]:
    names, texts, video = task.sample(clips, sampling)
    readings = judge(video)
    found, how = attributes(names, texts, readings), Uncertainty()
    shares = {name: wilson(int(getattr(found, name).sum()), clips, how.confidence) for name in ATTRIBUTES}
    speed = np.nan_to_num(np.hypot(*readings.velocity.T))
    means = {"average": found.average, "roughness": np.nan_to_num(readings.roughness), "speed": speed}
    values = shares | {name: mean_interval(value, how) for name, value in means.items()}
    return {name: {"value": v.value, "low": v.low, "high": v.high} for name, v in values.items()}


def _write(target: Path, result: Mapping[str, Any]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_suffix(".tmp")
    aside.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    aside.replace(target)
