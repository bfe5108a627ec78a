"""Trains one of the world's models: its file under pipeline/training/ says what, the loop how."""

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pandas as pd
import torch

from pipeline.config import paths
from pipeline.config.embed import Embed
from pipeline.config.folders import replaced
from pipeline.config.train import Training
from pipeline.training.identity import identity
from pipeline.training.loop import Reporter, processes, train

Reporting = Callable[[], AbstractContextManager[Reporter]]


def run(name: str, wanted: Training, embed: Embed, folder: Path, checkpoints: Path, reporting: Reporting) -> None:
    """Train a model and write its folder: weights (float16 safetensors) and history.csv, both or neither; what is there
    stays until they are written.

    Its module has `build_task(spec, embed, seed, device)` and `export(task, folder)`. `reporting` is opened when spec
    and data are known to be right. Of several processes, as `accelerate launch` starts them, all train and the first
    writes.

    Raises:
        ValueError: if the batch cannot be divided among the processes, or data or checkpoints do not fit.
    """
    these = processes()  # before anything is put on a GPU: each process has its own
    module = importlib.import_module(f"pipeline.training.{wanted.module}")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    task = module.build_task(wanted.spec, embed, wanted.schedule.seed, device)
    checkpoint = checkpoints / f"{name}.safetensors"
    with reporting() as report:
        history = train(task, wanted.schedule, checkpoint, identity(name, wanted, embed), report)
    if these.is_main_process:
        with replaced(folder) as aside:
            module.export(task, aside)
            pd.DataFrame(history.rows).to_csv(aside / paths.HISTORY, index=False)
        checkpoint.unlink(missing_ok=True)
    these.destroy_process_group()
