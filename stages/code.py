"""code@kind: the code that stages of many points depend on -> its digest, which each names instead of ninety files.

Twenty-four points with their files would be most of dvc.lock, which DVC reads whenever it is asked anything.
"""

from collections.abc import Sequence
from pathlib import Path

from metrics.hashing import fingerprint
from pipeline.config import params, paths
from pipeline.config.code import CARRIES_NO_RESULT, code_hash
from pipeline.config.entry import pick, stage
from pipeline.config.methods import module_name

_CASCADE = ("sweeps.cascade", "sweeps.cascade_parts", "sweeps.new_frames", "samplers.cascade")


def modules(kind: str, wanted: params.Params) -> list[str]:
    """The modules that make the results of a kind of stages: of temporal layers, of points of sweeps, of trials, of
    ETC's or of Make-A-Video's, of published figures.

    Raises:
        ValueError: if there is no such kind.
    """
    motion, etc = (["pipeline.training.run", f"pipeline.training.{name}"] for name in ("motion", "etc"))
    named = (wanted.harivo.sweep.method, wanted.etc.method, wanted.make_a_video.method)
    swept, of_etc, cascade = (_module(wanted, name) for name in named)
    tried = _module(wanted, wanted.harivo.trials.method)
    kinds = {
        "motion": motion,
        "sweep": ["pipeline.sweeps.point", "pipeline.samplers.animatediff", *motion, *swept],
        "trial": ["pipeline.sweeps.trials", "pipeline.samplers.animatediff", *motion, *tried],
        "publish": ["pipeline.published.full_size", *_all_of("samplers"), *_modules(wanted, wanted.published.methods)],
        "make_a_video": [*(f"pipeline.{name}" for name in _CASCADE), *cascade],
        "etc": ["pipeline.sweeps.etc", "pipeline.sweeps.larger", "pipeline.samplers.grid", *etc, *of_etc],
    }
    return pick("stages/code.py", kinds, kind)


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


@stage
def main(kind: str) -> None:
    wanted = params.load()
    digests = [code_hash(*modules(kind, wanted), without=CARRIES_NO_RESULT)]
    if kind == "publish":
        digests.append(models_hash(wanted))
    paths.code_digest(kind).parent.mkdir(parents=True, exist_ok=True)
    paths.code_digest(kind).write_text("\n".join([*digests, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
