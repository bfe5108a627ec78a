"""The overview's first lines: what was run, on which models, for which papers, and what came with the repository."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from pipeline.clips import ledger
from pipeline.config import paths
from pipeline.config.generate import Model, SamplingParams
from pipeline.evaluation.catalogue import PARAMETERS
from pipeline.report import published
from pipeline.report.formatting import fixed
from pipeline.report.results import Results
from pipeline.report.run import Made, made
from pipeline.world.scene import FRAMES, HEIGHT, WIDTH

_TRANSFORMER = "cogvideox"  # a family of models
_WORLD = "world"  # the prompt set of the toy world
_IDEAS = {  # a paper in half a sentence, by the modules of methods that are its own
    ("richspace", "endpoint", "strip"): "RichSpace mixes two prompts",
    ("harivo", "personalised"): "HARIVO moves a frozen image model",
    ("etc",): "ETC makes a video as one image of its frames",
    ("make_a_video",): Markup(
        '<a href="paper_make_a_video.html">Make-A-Video</a> learns motion from videos without captions'
    ),
}


@dataclass(frozen=True)
class Evaluated:
    """A model whose clips were evaluated, or a folder of imported videos. name: the checkpoint, or the folder.
    methods: of the model. facts: its size, that of its clips, steps, and the prompt sets."""

    name: str
    methods: Sequence[str]
    facts: Sequence[str]


def first_lines(results: Results) -> dict[str, Any]:
    """What the template prints of a run before its numbers.

    world: the size of the toy world's clips; None where other models or videos were run, which `evaluated` then names.
    ideas: half a sentence for each paper that has a method here. came: what is not the run's own, "" for nothing.
    """
    in_world = is_toy_world(results)
    return {
        "counts": _counts(results, made(results.params)),
        "world": {"frames": FRAMES, "height": HEIGHT, "width": WIDTH} if in_world else None,
        "evaluated": [] if in_world else [*_models(results), *_imported(results)],
        "ideas": _ideas(results),
        "came": _came(results, in_world),
    }


def sizes(results: Results, methods: Sequence[str]) -> str:
    """`3.7 M parameters`, or `7.5 and 1.8 M parameters` of two methods on different models; nothing if not known."""
    of = results.metrics[results.metrics.metric == PARAMETERS.name].set_index("method").value
    texts = dict.fromkeys(fixed(of[method] / 1e6, 1) for method in methods if method in of.index)
    return f"{' and '.join(texts)} M parameters" if texts else ""


def is_toy_world(results: Results) -> bool:
    """Whether all methods have its prompts and models, and no videos of others are evaluated."""
    generate = results.params.generate
    methods = [method for method in generate.methods.values() if method.evaluate]
    checkpoints = [Path(generate.models[method.model].checkpoint) for method in methods]
    ours = all(checkpoint.is_relative_to(paths.WORLD_MODELS) for checkpoint in checkpoints)
    others = any(entry.evaluate for entry in generate.external.values())
    return ours and not others and {generate.set_of(method) for method in methods} == {_WORLD}


def _counts(results: Results, everything: Sequence[Made]) -> dict[str, Any]:
    """Methods, their clips, the mixtures that clips were asked for, and whether there are clips of prompts; millions of
    parameters of the smallest and the largest model, and of CogVideoX, None where no method samples one."""
    of = results.metrics[results.metrics.metric == PARAMETERS.name].set_index("method").value / 1e6
    generate = results.params.generate
    transformers = [name for name, one in generate.methods.items() if generate.models[one.model].family == _TRANSFORMER]
    own = of[of.index.isin(transformers)]
    return {
        "least": fixed(of.min(), 1),
        "most": fixed(of.max(), 1),
        "transformer": fixed(own.max(), 1) if len(own) else None,
        "methods": len(everything),
        "clips": sum(one.requested for one in everything),
        "failed": sum(one.failed for one in everything),
        "mixtures": _mixtures(results),
        "prompts": len(results.prompted) > 0,
    }


def _mixtures(results: Results) -> int:
    """How many mixtures clips were asked for, whether or not somebody judged them."""
    folders = [results.params.generate.folder(name) for name in results.params.generate.methods]
    return len({one.mixture for folder in folders for one in ledger.read(folder).values()} - {""})


def _models(results: Results) -> Iterator[Evaluated]:
    """The models of the methods that are evaluated, in the order of params.yaml."""
    generate = results.params.generate
    for name, model in generate.models.items():
        methods = [method for method in generate.of_model(name) if generate.methods[method].evaluate]
        if methods:
            sets = dict.fromkeys(generate.set_of(generate.methods[method]) for method in methods)
            yield Evaluated(model.checkpoint, methods, _facts(model, sizes(results, methods), list(sets)))


def _facts(model: Model, size: str, sets: Sequence[str]) -> list[str]:
    steps = f"{model.sampling.steps} steps"
    prompts = f"prompt set{'s' if len(sets) > 1 else ''} {' and '.join(sets)}"
    return [fact for fact in (size, _shape(model.sampling), steps, prompts) if fact]


def _shape(sampling: SamplingParams) -> str:
    """`clips of 49 × 480 × 720 (frames × height × width)`, of what params.yaml says; the rest is the checkpoint's."""
    named = {name: getattr(sampling, name) for name in ("frames", "height", "width")}
    known = {name: str(size) for name, size in named.items() if size is not None}
    return f"clips of {' × '.join(known.values())} ({' × '.join(known)})" if known else ""


def _imported(results: Results) -> list[Evaluated]:
    entries = results.params.generate.external.items()
    return [Evaluated(entry.clips, [name], ["imported videos"]) for name, entry in entries if entry.evaluate]


def _ideas(results: Results) -> list[str]:
    here = {Path(method.module).stem for method in results.params.generate.methods.values()}
    return [idea for modules, idea in _IDEAS.items() if here & set(modules)]


def _came(results: Results, in_world: bool) -> Markup | str:
    """What is shown, or stands behind what is shown, and was not made by this run."""
    evaluate = results.params.evaluate
    own_reference = evaluate.reference is None and evaluate.compares
    timed = {"attention maps": results.attention_maps is not None, "timings": results.attention is not None}
    harivo = {
        "sweeps": len(results.sweeps),
        "trials": len(results.trials),
        "analyses": results.normality is not None or results.mapping_effect is not None,
    }
    ablated = {"ETC": len(results.etc), "Make-A-Video": len(results.make_a_video)}
    parts = [
        "the trained weights and their curves" if in_world else "",
        _figures(results),
        "the features of the reference clips" if own_reference else "",
        _several("HARIVO's {}", harivo),
        _several("the ablations of {}", ablated),
        _several("{}", timed),
        "the bounds of Theorem A.6" if results.bounds is not None else "",
        "the verdicts on every step of RichSpace's interpolation" if len(results.oracle_steps) else "",
    ]
    return _listed([part for part in parts if part])


def _listed(parts: Sequence[str]) -> Markup | str:
    """`The a`, `The a and the b`, `The a, the b, and the c`."""
    if not parts:
        return ""
    *others, last = parts
    text = Markup(", ").join(others) + ("", " and ", ", and ")[min(len(others), 2)] + last
    return text[0].upper() + text[1:]


def _figures(results: Results) -> Markup | str:
    about = published.background(results)
    link = Markup('the <a href="published.html">published figures</a> of {:,} clips')
    return link.format(about["clips"]) if about else ""


def _several(text: str, parts: Mapping[str, object]) -> str:
    """A text of those parts that are there; nothing where none is."""
    here = [name for name, there in parts.items() if there]
    if not here:
        return ""
    *others, last = here
    return text.format(f"{', '.join(others)} and {last}" if others else last)
