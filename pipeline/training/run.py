"""Trains one of the world's models: its file under pipeline/training/ says what, the loop how."""

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pandas as pd
import torch

from pipeline.config.params import Training
from pipeline.training.identity import identity, module_of
from pipeline.training.loop import Reporter, Schedule, processes, train

HISTORY = "history.csv"
Reporting = Callable[[], AbstractContextManager[Reporter]]


def run(name: str, wanted: Training, folder: Path, checkpoints: Path, reporting: Reporting) -> None:
    """Train a model and write its folder: weights (float16 safetensors) and history.csv.

    Its module, by default `pipeline/training/<name>.py`, has `build_task(spec, seed, device)` and
    `export(task, folder)`. `reporting` is opened when spec and data are known to be right. Of several processes, as
    `accelerate launch` starts them, all train and the first writes.

    Raises:
        ValueError: if a key of the spec or the schedule is unknown or missing, or the batch cannot be divided among
            the processes.
    """
    these = processes()  # before anything is put on a GPU: each process has its own
    module = importlib.import_module(module_of(name, wanted.module))
    try:
        schedule = Schedule(**wanted.schedule)
        task = module.build_task(wanted.spec, schedule.seed, "cuda" if torch.cuda.is_available() else "cpu")
    except TypeError as error:  # the spec's and the schedule's keyword arguments
        raise ValueError(f"params.yaml: train.{name}: {error}") from error
    checkpoint = checkpoints / f"{name}.safetensors"
    own = identity(name, module.__name__, wanted.spec, schedule)
    with reporting() as report:
        history = train(task, schedule, checkpoint, own, report)
    if these.is_main_process:
        folder.mkdir(parents=True, exist_ok=True)
        module.export(task, folder)
        pd.DataFrame(history.rows).to_csv(folder / HISTORY, index=False)
        checkpoint.unlink(missing_ok=True)
    these.destroy_process_group()
