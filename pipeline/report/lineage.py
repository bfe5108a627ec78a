"""What a method's weights were trained on: every training behind its denoiser, as params.yaml states them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import paths
from pipeline.config.generate import Method
from pipeline.config.params import Params
from pipeline.config.train import Training

_OPTIONS = ("motion", "trained", "lora", "prior", "video", "interpolation", "sr_t", "sr_h")  # that name weights


@dataclass(frozen=True)
class Step:
    """One training. name: of train, or the folder or hub id of what was trained elsewhere. clips: how many it draws
    from; None where params.yaml does not say. iterations, batch: None where it was trained elsewhere."""

    name: str
    clips: int | None = None
    iterations: int | None = None
    batch: int | None = None


def behind(params: Params, method: Method) -> list[Step]:
    """The trainings of a method's denoiser, the first one first; those of the codec and of the text encoder are not
    among them."""
    named = [method.options.get(key) for key in _OPTIONS]
    folders = [one["folder"] if isinstance(one, Mapping) else one for one in named if one]
    places = [params.generate.models[method.model].checkpoint, *folders]
    steps = {step.name: step for place in places for step in _steps(params.train, place)}
    return list(steps.values())


def step(train: Mapping[str, Training], place: str) -> Step:
    """The training that wrote a folder; its name alone if none of params.yaml did."""
    training = training_of(train, place)
    if training is None:
        return Step(place)
    return Step(Path(place).name, _clips(training), training.schedule.steps, training.spec.batch)


def _steps(train: Mapping[str, Training], place: str) -> Iterator[Step]:
    """The training that wrote a folder, after those that it started from."""
    training = training_of(train, place)
    for key in ("checkpoint", "starts_from"):
        if before := getattr(training and training.spec, key, None):
            yield from _steps(train, before)
    yield step(train, place)


def training_of(train: Mapping[str, Training], place: str) -> Training | None:
    """The training that wrote a folder; None if none of params.yaml did."""
    name = Path(place).name
    return train.get(name) if Path(place) == paths.world_model(name) else None


def _clips(training: Training) -> int | None:
    """None for a folder of videos or images, which params.yaml does not count."""
    spec = training.spec
    folder = any(getattr(spec, key, None) for key in ("videos", "own", "images"))
    return None if folder else getattr(spec, "used", spec.scenes)
