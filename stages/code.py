"""code -> digests of code: that of each kind of stages that cost minutes or hours, which they name instead of files.

Ninety files in each of a hundred and fifty stages would be most of dvc.lock, which DVC reads and writes at every stage.
Comments and docstrings are no code: they start nothing again.
"""

from collections.abc import Sequence
from pathlib import Path

from metrics.hashing import fingerprint
from pipeline.config import params, paths
from pipeline.config.code import CARRIES_NO_RESULT, code_hash
from pipeline.config.entry import stage
from pipeline.config.methods import module_name

_CASCADE = ("sweeps.cascade", "sweeps.cascade_parts", "sweeps.new_frames", "samplers.cascade")
_RUN = "pipeline.training.run"
_MAPPED = "harivo"  # as in stages/mapping.py


def kinds(wanted: params.Params) -> dict[str, list[str]]:
    """The modules that make the results of each kind of stages, those of methods where params.yaml has these: trainings
    by their modules, points of sweeps, of trials, of ETC's and of Make-A-Video's, published figures, what is measured
    once."""
    of_motion, of_etc = ([_RUN, f"pipeline.training.{name}"] for name in ("motion", "etc"))
    named = (wanted.harivo.sweep.method, wanted.harivo.trials.method, wanted.etc.method, wanted.make_a_video.method)
    swept, tried, grids, cascade = (_module(wanted, name) for name in named)
    oracle, bounds = wanted.richspace.oracle, wanted.richspace.bounds
    return {
        **{f"train_{entry.module}": [_RUN, f"pipeline.training.{entry.module}"] for entry in wanted.train.values()},
        "sweep": ["pipeline.sweeps.point", "pipeline.samplers.animatediff", *of_motion, *swept],
        "trial": ["pipeline.sweeps.trials", "pipeline.samplers.animatediff", *of_motion, *tried],
        "publish": ["pipeline.published.full_size", *_all_of("samplers"), *_modules(wanted, wanted.published.methods)],
        "make_a_video": [*(f"pipeline.{name}" for name in _CASCADE), *cascade],
        "etc": ["pipeline.sweeps.etc", "pipeline.sweeps.larger", "pipeline.samplers.grid", *of_etc, *grids],
        "attention": ["stages.attention"],
        "attention_maps": ["stages.attention_maps", *_sampled(wanted, wanted.etc.method)],
        "mapping": ["stages.mapping", *_sampled(wanted, _MAPPED)],
        "oracle": ["stages.oracle", *(_sampled(wanted, oracle.method) if oracle else [])],
        "bounds": ["stages.bounds", *(_sampled(wanted, bounds.method) if bounds else [])],
    }


def models_hash(wanted: params.Params) -> str:
    """Of what decides the clips of every model: as parameters 150 lines of dvc.lock in each stage that names them."""
    return fingerprint({name: model.deciding for name, model in wanted.generate.models.items()})


def _all_of(room: str) -> list[str]:
    """The modules of a room of the pipeline."""
    return sorted(module_name(file.as_posix()) for file in Path("pipeline", room).glob("[!_]*.py"))


def _modules(wanted: params.Params, methods: Sequence[str]) -> list[str]:
    """The modules of methods, each once."""
    return sorted({module for name in methods for module in _module(wanted, name)})


def _module(wanted: params.Params, method: str) -> list[str]:
    """The module of a method, where there is such a method."""
    return [module_name(wanted.generate.methods[method].module)] if method in wanted.generate.methods else []


def _sampled(wanted: params.Params, name: str) -> list[str]:
    """The modules of a method and its sampler, where there is such a method."""
    if not (module := _module(wanted, name)):
        return []
    method = wanted.generate.methods[name]
    samplers = [wanted.generate.models[method.model].family, *(["animatediff"] if method.options.get("motion") else [])]
    return [*(f"pipeline.samplers.{sampler}" for sampler in samplers), *module]


@stage
def main() -> None:
    wanted = params.load()
    digests = {kind: [code_hash(*modules, without=CARRIES_NO_RESULT)] for kind, modules in kinds(wanted).items()}
    digests["publish"].append(models_hash(wanted))
    for kind, lines in digests.items():
        paths.code_digest(kind).parent.mkdir(parents=True, exist_ok=True)
        paths.code_digest(kind).write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
