"""Builds every method, and looks for every file and folder that params.yaml names, before anything costs anything."""

import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.config import paths
from pipeline.config.cascade import Embedded, OnNetwork, Pixels, PriorSpec
from pipeline.config.params import Params
from pipeline.config.specs import AutoencoderSpec, EtcSpec, MotionSpec, OnImages
from pipeline.evaluation.labels import Labels
from pipeline.evaluation.naming import world_mixture
from pipeline.methods.base import Method, build
from pipeline.methods.context import Context, Inputs
from pipeline.prompts.tables import read_tables
from pipeline.sweeps import bounds, steps
from pipeline.sweeps.variants import with_point, with_trial
from pipeline.weights.checkpoints import looks_like_hub_id


def problems(params: Params) -> list[str]:
    """What stands in the way of the stages, a sentence each; prompts, embeddings and searches must be there."""
    return [*missing_places(params), *_said_of_labels(params), *unnamed_mixtures(), *unbuilt_methods(params)]


def _said_of_labels(params: Params) -> list[str]:
    """What is wrong with the file of labels by itself; missing files are named elsewhere."""
    path = params.evaluate.labels
    try:
        Labels.read(Path(path)) if path and Path(path).is_file() else None
    except ValueError as error:
        return [str(error)]
    return []


def unnamed_mixtures() -> list[str]:
    """The mixtures that the judge is asked for and cannot name."""
    prompts, mixtures = read_tables(paths.PROMPTS, paths.MIXTURES)
    said = []
    for mixture in mixtures:
        if "attributes" in mixture.extra:
            try:
                world_mixture(mixture, prompts)
            except ValueError as error:
                said.append(f"prompts/{mixture.set}.mixtures.csv: {error}")
    return said


def unbuilt_methods(params: Params) -> list[str]:
    """The methods, and variants of them in sweeps and of RichSpace, that cannot be built or have nothing to make."""
    inputs, said = Inputs(), []
    for name in params.generate.methods:
        said += _said_of_method(params, name, inputs)
    harivo = params.harivo
    for key, points, variant in (
        ("sweep", harivo.sweep.points, with_point),
        ("trials", harivo.trials.points, with_trial),
    ):
        for name in points:
            try:
                said += _said_of_method(variant(params, name, Path("motion")), name, inputs)
            except ValueError as error:
                said.append(f"params.yaml: harivo.{key}.points.{name}: {error}")
    return list(dict.fromkeys([*said, *_said_of_oracle(params, inputs), *_said_of_bounds(params, inputs)]))


def _said_of_oracle(params: Params, inputs: Inputs) -> list[str]:
    wanted = params.richspace.oracle
    if wanted is None:
        return []

    def built() -> Method | None:
        context = steps.context_of(params, wanted, inputs)
        return steps.every_step(context, wanted.k) if steps.judged(context) else None

    return _said_of("richspace.oracle", built)


def _said_of_bounds(params: Params, inputs: Inputs) -> list[str]:
    wanted = params.richspace.bounds
    if wanted is None:
        return []
    return _said_of("richspace.bounds", lambda: build(bounds.context_of(params, wanted, inputs)))


def _said_of_method(params: Params, name: str, inputs: Inputs) -> list[str]:
    return _said_of(f"generate.methods.{name}", lambda: build(Context.of(params, name, inputs)))


def _said_of(key: str, built: Callable[[], Method | None]) -> list[str]:
    """Why a method cannot be built or has nothing to make; nothing if it can and has, or is not wanted (None)."""
    try:
        if method := built():
            method.jobs()
    except (ValueError, OSError) as error:
        return [str(error)]
    except Exception as error:  # whatever a method's own code does
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}, line {place.lineno}"
        return [f"params.yaml: {key}: {type(error).__name__}: {error} ({where})"]
    return []


def hub_ids(params: Params) -> dict[str, list[str]]:
    """The hub ids that are named, nothing being here under that name: each with its keys. Nothing is looked up."""
    named: dict[str, list[str]] = {}
    for key, place, local in places(params):
        if not local and looks_like_hub_id(place) and not Path(place).expanduser().exists():
            named.setdefault(place, []).append(key)
    return named


def of_hub(name: str) -> str:
    """What can be said of a hub id without network: how much of it is in the hub's cache on this machine."""
    from huggingface_hub import CacheNotFound, scan_cache_dir

    try:
        sizes = {repo.repo_id: repo.size_on_disk for repo in scan_cache_dir().repos if repo.repo_type == "model"}
    except CacheNotFound:
        sizes = {}
    if name in sizes:
        cached = f"{sizes[name] / 1e9:.1f} GB in the hub's cache"
        return f"hub id {name}: {cached}; not looked up whether that is all of it"
    return f"hub id {name}, not looked up: needs network or a local copy"


def missing_places(params: Params) -> list[str]:
    """The files and folders that are neither here, nor made by a stage, nor hub ids."""
    made = {paths.I3D, paths.MINILM, *(paths.world_model(name) for name in params.train)}
    return [
        f"params.yaml: {key} is {place!r}: no such file or folder" + ("" if local else ", and no hub id owner/name")
        for key, place, local in places(params)
        if not Path(place).expanduser().exists() and Path(place) not in made and (local or not looks_like_hub_id(place))
    ]


def places(params: Params) -> Iterator[tuple[str, str, bool]]:
    """(key, place, whether it must be here) of everything that is read."""
    for key, path in (*params.weights, ("prompts.msrvtt.path", params.prompts.msrvtt.path)):
        if path is not None:
            yield (key if "." in key else f"weights.{key}"), str(path), True
    for name, encoder in params.embed.encoders.items():
        yield f"embed.encoders.{name}.checkpoint", encoder.checkpoint, False
    yield "features.clip", params.features.clip, False
    yield "features.clip_text_tower", params.features.clip_text_tower, False
    for name, read in (("reference", params.evaluate.place), ("labels", params.evaluate.labels)):
        if read is not None:
            yield f"evaluate.{name}", str(read), True
    yield from _of_models_and_methods(params)
    for name, entry in params.generate.external.items():
        yield f"generate.external.{name}.clips", entry.clips, True
        yield f"generate.external.{name}.captions", entry.captions, True
    yield from _of_trainings(params)


def _of_models_and_methods(params: Params) -> Iterator[tuple[str, str, bool]]:
    for name, model in params.generate.models.items():
        for key in ("checkpoint", "codec"):
            if getattr(model, key) is not None:
                yield f"generate.models.{name}.{key}", getattr(model, key), False
    for name, method in params.generate.methods.items():
        yield from _of_options(f"generate.methods.{name}", method.options)
    for name, point in params.make_a_video.points.items():
        yield from _of_options(f"make_a_video.points.{name}.options", point.options)


def _of_options(key: str, options: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    for name in ("motion", "trained", "lora", "clip", "text_tower", "video"):
        if options.get(name):
            yield f"{key}.{name}", options[name], False
    for name, file in (("controlnet", "video"), ("image_prompt", "image")):
        if isinstance(options.get(name), Mapping) and options[name].get(file):
            yield f"{key}.{name}.{file}", options[name][file], True
    for name in ("prior", "interpolation", "sr_t", "sr_h", "controlnet", "image_prompt"):
        if isinstance(options.get(name), Mapping) and options[name].get("folder"):
            yield f"{key}.{name}.folder", options[name]["folder"], False


def _of_trainings(params: Params) -> Iterator[tuple[str, str, bool]]:
    for name, training in params.train.items():
        spec, key = training.spec, f"train.{name}.spec"
        if isinstance(spec, OnImages | OnNetwork):
            yield f"{key}.checkpoint", spec.checkpoint, False
        if isinstance(spec, PriorSpec | Embedded):
            yield f"{key}.clip", spec.clip, False
            yield f"{key}.text_tower", spec.text_tower, False
        if isinstance(spec, Pixels) and spec.own is not None:
            yield f"{key}.own.folder", spec.own.folder, True
        if isinstance(spec, OnImages) and spec.codec is not None:
            yield f"{key}.codec", spec.codec, False
        if isinstance(spec, AutoencoderSpec | EtcSpec) and spec.starts_from is not None:
            yield f"{key}.starts_from", spec.starts_from, True
        if isinstance(spec, MotionSpec | EtcSpec) and spec.videos is not None:
            yield f"{key}.videos.clips", spec.videos.clips, True
            yield f"{key}.videos.captions", spec.videos.captions, True
        if isinstance(spec, EtcSpec | PriorSpec) and spec.images is not None:
            yield f"{key}.images.folder", spec.images.folder, True
            yield f"{key}.images.captions", spec.images.captions, True
        if isinstance(spec, EtcSpec) and spec.labels is not None:
            yield f"{key}.labels", spec.labels, True
