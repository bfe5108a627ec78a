"""One point of HARIVO's sweeps: α at sampling time, or the weights λ of a short training; what the judge says of it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from metrics.statistics.bootstrap import Uncertainty, mean_interval
from metrics.statistics.proportions import wilson
from pipeline.config import paths
from pipeline.config.params import Sweep, SweepPoint, Training
from pipeline.samplers import animatediff
from pipeline.samplers.animatediff import VideoModel
from pipeline.samplers.guidance import Guidance
from pipeline.training import motion
from pipeline.training.identity import identity
from pipeline.training.latents import training_captions
from pipeline.training.loop import Schedule, silent, train
from pipeline.training.motion import MotionSpec, sample_prompts
from pipeline.training.validation import unseen_prompts
from pipeline.world.attributes import ATTRIBUTES, attributes
from pipeline.world.judge import judge
from pipeline.world.scene import Names

LAMBDAS = [name for name in SweepPoint.model_fields if name.startswith("lambda_")]


def run(name: str, point: SweepPoint, wanted: Sweep, training: Training, checkpoints: Path, target: Path) -> None:
    """Sample (and, for λ, train) a point and write what the judge finds, as JSON.

    A point of α samples the shipped weights; a point of λ trains anew, a few steps, and samples without the mitigating
    gradient. Prompts and noise are the same in all points. The file has the parameters, `steps` of training (0 for α),
    `clips`, and `metrics`: {name: {value, low, high}}, shares with Wilson's interval, the others with a bootstrap's.
    """
    weights = {key: value for key, value in point.values.items() if key != "mg_scale"}
    spec, seed = MotionSpec.of(training.spec | weights), Schedule(**training.schedule).seed
    if spec.videos:
        raise ValueError(
            f"params.yaml: train.{wanted.model}.spec.videos: the judge of sweep points knows the world alone"
        )
    checkpoint = checkpoints / f"sweep-{name}.safetensors"
    if weights:
        model = _trained(name, spec, wanted, training, checkpoint)
    else:
        model = animatediff.load(spec.checkpoint, spec.codec, paths.world_model(wanted.model), spec.embedding_scale)
    mg_scale = point.mg_scale or 0.0
    sampling = animatediff.Sampling(spec.sampling_steps, Guidance(spec.guidance, mg_scale=mg_scale))
    known = frozenset(training_captions(spec.scenes, seed))
    names, texts = unseen_prompts(wanted.prompts, known)
    clips = sample_prompts(model, spec.captions(), texts, spec.size, sampling)
    parameters = {"mg_scale": mg_scale, **{key: getattr(spec, key) for key in LAMBDAS}}
    steps = wanted.steps if weights else 0
    _write(target, {**parameters, "steps": steps, "clips": len(clips), "metrics": _judged(names, texts, clips)})
    checkpoint.unlink(missing_ok=True)


def _trained(name: str, spec: MotionSpec, wanted: Sweep, training: Training, checkpoint: Path) -> VideoModel:
    """A short training, on no more scenes than it can see; its one validation clip is for the curves alone."""
    used = min(spec.used, wanted.steps * wanted.batch)
    own = replace(spec, batch=wanted.batch, used=used, validation_prompts=1)
    schedule = replace(
        Schedule(**training.schedule), steps=wanted.steps, warmup=wanted.steps // 10, checkpoint_every=50
    )
    task = motion.build_task(asdict(own), schedule.seed, "")
    known = identity(name, motion.__name__, asdict(own), schedule)
    train(task, schedule, checkpoint, known, silent)
    return VideoModel.of(task.images, task.unet)


def _judged(names: list[Names], texts: list[str], clips: np.ndarray) -> dict[str, dict[str, float]]:
    readings = judge(clips)
    found, how = attributes(names, texts, readings), Uncertainty()
    shares = {name: wilson(int(getattr(found, name).sum()), len(clips), how.confidence) for name in ATTRIBUTES}
    visible = np.isfinite(readings.roughness)  # nothing to see has neither path nor speed
    paths_of = {"roughness": readings.roughness, "speed": np.hypot(*readings.velocity.T)}
    means = {"average": found.average, **{name: value[visible] for name, value in paths_of.items()}}
    values = shares | {name: mean_interval(value, how) for name, value in means.items() if len(value) > 1}
    return {name: {"value": v.value, "low": v.low, "high": v.high} for name, v in values.items()}


def _write(target: Path, result: Mapping[str, Any]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_suffix(".tmp")
    aside.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    aside.replace(target)
