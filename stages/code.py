"""code@kind: the code that stages of many points depend on -> its digest, which each names instead of ninety files.

Twenty-four points with their files would be most of dvc.lock, which DVC reads whenever it is asked anything.
"""

from pipeline.config import params, paths
from pipeline.config.code import CARRIES_NO_RESULT, code_hash
from pipeline.config.entry import pick, stage
from pipeline.config.methods import module_name


def modules(kind: str, wanted: params.Params) -> list[str]:
    """The modules that make the results of a kind of stages: of temporal layers, or of points of sweeps.

    Raises:
        ValueError: if there is no such kind.
    """
    motion = ["pipeline.training.run", "pipeline.training.motion"]
    swept = wanted.generate.methods.get(wanted.harivo.sweep.method)
    method = [module_name(swept.module)] if swept else []
    kinds = {"motion": motion, "sweep": ["pipeline.sweeps.point", "pipeline.samplers.animatediff", *motion, *method]}
    return pick("stages/code.py", kinds, kind)


@stage
def main(kind: str) -> None:
    digest = code_hash(*modules(kind, params.load()), without=CARRIES_NO_RESULT)
    paths.code_digest(kind).parent.mkdir(parents=True, exist_ok=True)
    paths.code_digest(kind).write_text(f"{digest}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
