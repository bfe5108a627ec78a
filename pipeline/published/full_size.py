"""Measures a method once at full size, and keeps what was measured, small enough for git."""

from pathlib import Path

import numpy as np

from pipeline.config.folders import replaced
from pipeline.config.generate import Method
from pipeline.config.params import Params
from pipeline.evaluation import files
from pipeline.evaluation.measuring import measurer
from pipeline.published.manifest import manifest, write
from pipeline.sweeps.sampled import sample_and_measure


def run(params: Params, name: str, scratch: Path, target: Path) -> None:
    """Leave what the features stage measures of a method's clips in `target`, but with features (N, 400) of half
    precision and numbers of six digits, and beside it the manifest.

    Prompts and noise are those of a usual run, and more of them. Killed and started again, it goes on with the clips
    where it was.

    Args:
        scratch: folder of the clips; safe to remove.

    Raises:
        ValueError: if no clip could be made.
    """
    whole, measured = full_size(params, name), scratch / "measured" / name
    sample_and_measure(whole, name, measurer(whole.features), scratch, measured)
    logits, metadata = files.read_tensors(measured, "publish")
    table = files.read_table(measured / files.TABLE)
    with replaced(target) as aside:
        files.write(aside, table, logits.astype(np.float16), metadata, "%.6g")
        write(aside, manifest(whole, name, scratch / "clips", aside))


def full_size(params: Params, name: str) -> Params:
    """The parameters with one method alone, asked for as much as the section `published` says."""
    given = params.generate.methods[name].model_dump(exclude_unset=True)
    method = Method.model_validate({key: value for key, value in given.items() if key not in ("limit", "seeds")})
    asked = {"mixtures": params.published.mixtures, "prompts": params.published.prompts}
    generate = params.generate.model_copy(update={"methods": {name: method}, **asked})
    return params.model_copy(update={"generate": generate})
