"""What the sections of params.yaml name of one another."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.config import paths
from pipeline.config.cascade import OnNetwork, PriorSpec
from pipeline.config.embed import Embed, EmbeddedSet
from pipeline.config.etc import Etc
from pipeline.config.generate import Generate, Method
from pipeline.config.harivo import Harivo
from pipeline.config.make_a_video import MakeAVideo
from pipeline.config.methods import check_options
from pipeline.config.section import is_square, subset
from pipeline.config.specs import OnImages
from pipeline.config.train import EtcTraining, MotionTraining, Training


def check_harivo(harivo: Harivo, train: Mapping[str, Training], generate: Generate) -> None:
    """The trainings and the methods that the section `harivo` names.

    Raises:
        ValueError: if one does not exist, or learning rates are compared of another training than is said.
    """
    swept, trials = harivo.sweep, harivo.trials
    motions = [name for name, training in train.items() if isinstance(training, MotionTraining)]
    if swept.points:
        subset("harivo.sweep.training", [swept.training], "the trainings of temporal layers", motions)
        subset("harivo.sweep.method", [swept.method], "generate.methods", generate.methods)
    for name, point in trials.points.items():
        subset(f"harivo.trials.points.{name}.training", [point.training], "the trainings of temporal layers", motions)
    if trials.points:
        subset("harivo.trials.method", [trials.method], "generate.methods", generate.methods)
    for training, names in trials.choices.items():
        for name in names:
            if (found := trials.points[name].training) != training:
                raise ValueError(f"harivo.trials.choices.{training}: {name} is of {found}, expected of {training}")


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
        if rated[etc.larger.training].frames == "grid" and not is_square(own.frames):
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


def check_make_a_video(wanted: MakeAVideo, generate: Generate) -> None:
    """The method, the models and the options that the points of the section `make_a_video` name.

    Raises:
        ValueError: naming what does not exist, or an option that is unknown or of a wrong type.
    """
    named = {"whole": wanted.whole, "cueless": wanted.cueless}
    for key, point in named.items():
        subset(f"make_a_video.{key}", [point] if point else [], "make_a_video.points", wanted.points)
    if not wanted.points and wanted.parts is None:
        return
    subset("make_a_video.method", [wanted.method], "generate.methods", generate.methods)
    for name, point in wanted.points.items():
        key, base = f"make_a_video.points.{name}", generate.methods[wanted.method]
        model = point.model or base.model
        subset(f"{key}.model", [model], "generate.models", generate.models)
        options = base.options | point.options
        check_options(f"{key}.options", base.module, generate.models[model].family, options, Method.model_fields)


def check_shaded_alike(train: Mapping[str, Training]) -> None:
    """What is trained on top of another model of the toy world sees the same world; in pixels, of the same size.

    Raises:
        ValueError: naming the trainings that do not, with both values.
    """
    unlike: dict[str, list[str]] = {}
    for name, training in train.items():
        spec = training.spec
        base = Path(spec.checkpoint).name if isinstance(spec, OnImages | OnNetwork) else ""
        below = train.get(base) if base and Path(spec.checkpoint) == paths.world_model(base) else None
        for key in ("shading", "size", "low"):
            own, under = (getattr(one, key, None) for one in (spec, below and below.spec))
            if below and None not in (own, under) and own != under:
                said = f"{key} is {own:g}, that of its checkpoint, train.{base}, {under:g}"
                unlike.setdefault(said, []).append(f"train.{name}.spec")
    if unlike:
        all_said = (f"{', '.join(names)}: {said}: expected the same" for said, names in unlike.items())
        raise ValueError("; ".join(all_said))


def check_embedded_alike(model: str, encoder: str, generate: Generate, embed: Embed) -> None:
    """A model is conditioned on embeddings of one kind: its methods' sets must be embedded in the same way.

    Raises:
        ValueError: naming the sets, and how each is embedded.
    """
    ways: dict[EmbeddedSet, str] = {}
    for name in generate.of_model(model):
        own = generate.set_of(generate.methods[name])
        embed.check(f"generate.methods.{name}", encoder, own)
        ways.setdefault(embed.encoders[encoder].sets[own], own)
    if len(ways) > 1:
        found = "; ".join(f"{own}: {way.model_dump()}" for way, own in ways.items())
        raise ValueError(f"generate.models.{model}: its methods' sets are not embedded alike ({found})")


def check_zeros_are_padding(train: Mapping[str, Training], generate: Generate, embed: Embed) -> None:
    """Make-A-Video's prior knows padding by its zeros: the sets that it reads are embedded with zero_padding.

    Raises:
        ValueError: naming the training or the method, and the set.
    """
    read = {
        f"train.{name}.spec.text": (training.spec.text.encoder, training.spec.text.set)
        for name, training in train.items()
        if isinstance(training.spec, PriorSpec)
    }
    for name, method in generate.methods.items():
        model = generate.models[method.model]
        if model.family == "cascade" and method.options.get("prior"):
            read[f"generate.methods.{name}"] = (model.encoder, generate.set_of(method))
    for key, (encoder, own) in read.items():
        if not embed.encoders[encoder].sets[own].zero_padding:
            where = f"embed.encoders.{encoder}.sets.{own}.zero_padding"
            raise ValueError(
                f"{where} is false, expected true for {key}: a prior tells tokens from padding by its zeros"
            )
