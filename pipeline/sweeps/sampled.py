"""A method of a point, alone in its parameters: its clips, and what is measured of them, as of any method's."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from metrics.scoring.measuring import Measurer
from pipeline.clips.generation import generate
from pipeline.clips.superseded import Superseded
from pipeline.config.folders import replaced
from pipeline.config.params import Params
from pipeline.evaluation.features import extract
from pipeline.methods.base import build
from pipeline.methods.context import Context


def sample_and_measure(
    params: Params, name: str, measurer: Measurer, scratch: Path, target: Path, beside: Sequence[Path] = ()
) -> None:
    """Leave what is measured of a method's clips in `target`, as the features stage does.

    Prompts and noise are those of every other method. Killed and started again, it goes on with the clips where it was.

    Args:
        scratch: folder of the clips; safe to remove. beside: files that are to stand in `target` too.

    Raises:
        ValueError: if no clip could be made.
    """
    method, clips = build(Context.of(params, name)), scratch / "clips"
    generate(name, method, clips, Superseded(scratch / "superseded"), params.generate.batch, params.generate.workers)
    extract({name: clips}, measurer, scratch / "features")
    with replaced(target) as aside:
        shutil.copytree(scratch / "features" / name, aside, dirs_exist_ok=True)
        for file in beside:
            shutil.copy(file, aside)
