"""What a training is: whoever has another identity does not continue its checkpoint."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from metrics.hashing import content_hash
from pipeline.config import paths
from pipeline.config.code import code_hash
from pipeline.training.loop import Schedule

BY_VALUE = ("pipeline.config",)  # parameters are in the identity themselves


def module_of(name: str, module: str | None) -> str:
    """The dotted name of a training's module: `module`, a file of pipeline/training/ without its suffix, else that of
    the model's own name."""
    return f"pipeline.training.{module or name}"


def identity(name: str, module: str, spec: Mapping[str, Any], schedule: Schedule) -> str:
    """Names a training: parameters, the code of its module and of the loop, and the models below it.

    Args:
        module: dotted name of the training's module.
    """
    code = code_hash(module, "pipeline.training.loop", without=BY_VALUE)
    named = {Path(value) for value in spec.values() if isinstance(value, str)}
    folders = sorted(folder for folder in {paths.world_model("codec"), *named} if folder.is_dir())
    below = [content_hash(folder) for folder in folders if folder != paths.world_model(name)]
    return json.dumps([name, dict(spec), asdict(schedule), code, below])
