"""What the sections of params.yaml name of one another."""

import math
from collections.abc import Mapping

from pipeline.config.etc import Etc
from pipeline.config.generate import Generate
from pipeline.config.section import subset
from pipeline.config.train import EtcTraining, Training


def check_etc(etc: Etc, train: Mapping[str, Training], generate: Generate) -> None:
    """The trainings and the method that the section `etc` names.

    Raises:
        ValueError: if one does not exist, or attention is asked for of other models than grids, or at steps that are
            not sampled.
    """
    rated = {name: training.spec for name, training in train.items() if isinstance(training, EtcTraining)}
    named = {f"etc.points.{name}.training": point.training for name, point in etc.points.items()}
    named |= {f"etc.{kind}.training": own.training for kind, own in etc.variants.items() if own.points}
    for key, training in named.items():
        subset(key, [training], "the trainings with module: etc", rated)
    for name, own in etc.larger.points.items():
        if rated[etc.larger.training].frames == "grid" and math.isqrt(own.frames) ** 2 != own.frames:
            raise ValueError(f"etc.larger.points.{name}.frames: found {own.frames}, expected a square number on a grid")
    for name, own in etc.short.points.items():
        if own.used is not None and own.used > (most := rated[etc.short.training].scenes):
            raise ValueError(f"etc.short.points.{name}.used: found {own.used}, expected at most the {most} scenes")
    if named or etc.attention:
        subset("etc.method", [etc.method], "generate.methods", generate.methods)
    if etc.attention:
        grids = [name for name, spec in rated.items() if spec.frames == "grid"]
        subset("etc.attention.trainings", etc.attention.trainings, "the trainings with frames: grid", grids)
        model = generate.methods[etc.method].model
        if etc.attention.steps[-1] > (most := generate.models[model].sampling.steps):
            said = f"expected at most generate.models.{model}.sampling.steps, which is {most}"
            raise ValueError(f"etc.attention.steps: found {etc.attention.steps[-1]}, {said}")
