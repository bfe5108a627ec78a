"""Trains one of the world's models: its file under pipeline/training/ says what, the loop how."""

import importlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from metrics.hashing import content_hash, sha256
from pipeline.config import paths
from pipeline.config.params import Training
from pipeline.training.loop import Reporter, Schedule, train

HISTORY = "history.csv"
_CODE = (
    "pipeline.training",
    "pipeline.harivo",
    "pipeline.world",
    "pipeline.text.encoders",
    "pipeline.samplers.stable_diffusion",
)


def run(name: str, wanted: Training, folder: Path, checkpoints: Path, report: Reporter) -> None:
    """Train a model and write its folder: weights (float16 safetensors) and history.csv.

    Its module, by default `pipeline/training/<name>.py`, has `build_task(spec, seed, device)` and
    `export(task, folder)`.

    Raises:
        ValueError: if a key of the spec or the schedule is unknown or missing.
    """
    module = importlib.import_module(f"pipeline.training.{wanted.module or name}")
    try:
        schedule = Schedule(**wanted.schedule)
        task = module.build_task(wanted.spec, schedule.seed, "cuda" if torch.cuda.is_available() else "cpu")
    except TypeError as error:  # the spec's and the schedule's keyword arguments
        raise ValueError(f"params.yaml: train.{name}: {error}") from error
    checkpoint = checkpoints / f"{name}.safetensors"
    history = train(task, schedule, checkpoint, identity(name, wanted.spec, schedule), report)
    folder.mkdir(parents=True, exist_ok=True)
    module.export(task, folder)
    pd.DataFrame(history.rows).to_csv(folder / HISTORY, index=False)
    checkpoint.unlink(missing_ok=True)


def identity(name: str, spec: Mapping[str, Any], schedule: Schedule) -> str:
    """Names a training: parameters, code, and the models below it. A checkpoint of another one is not continued."""
    code = {name: sha256(Path(str(module.__file__))) for name, module in sys.modules.items() if name.startswith(_CODE)}
    named = {Path(value) for value in spec.values() if isinstance(value, str)}
    folders = sorted(folder for folder in {paths.world_model("codec"), *named} if folder.is_dir())
    below = [content_hash(folder) for folder in folders if folder != paths.world_model(name)]
    return json.dumps([name, dict(spec), asdict(schedule), sorted(code.items()), below])
