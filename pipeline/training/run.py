"""Trains one of the world's models: its file under pipeline/training/ says what, the loop how, MLflow listens."""

import importlib
import json
from pathlib import Path

import pandas as pd
import torch

from pipeline import tracking
from pipeline.params import Training
from pipeline.training.loop import Schedule, train

HISTORY = "history.csv"


def run(name: str, wanted: Training, folder: Path, checkpoints: Path) -> None:
    """Train a model and write its folder: weights (float16 safetensors) and history.csv.

    `pipeline/training/<name>.py` has `build_task(spec, seed, device)` and `export(task, folder)`.
    """
    module = importlib.import_module(f"pipeline.training.{name}")
    schedule = Schedule(**wanted.schedule)
    task = module.build_task(wanted.spec, schedule.seed, "cuda" if torch.cuda.is_available() else "cpu")
    identity = json.dumps({"model": name, **wanted.model_dump()}, sort_keys=True)
    with tracking.live_run(name, wanted.model_dump()) as report:
        history = train(task, schedule, checkpoints / f"{name}.safetensors", identity, report)
    folder.mkdir(parents=True, exist_ok=True)
    module.export(task, folder)
    pd.DataFrame(history.rows).to_csv(folder / HISTORY, index=False)
