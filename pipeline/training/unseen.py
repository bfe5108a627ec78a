"""Validation on a folder's videos or images, which no judge can read: the loss of those that are not trained on."""

import torch

from pipeline.training.task import Batch, Source, Task

_BATCHES = 8


def mean_loss(task: Task[Batch], unseen: Source[Batch]) -> dict[str, float]:
    """Mean loss of the same batches, timesteps and noise whenever it is asked for."""
    device = next(task.model.parameters()).device
    losses = [task.loss(task.model, unseen.batch(-1 - i).to(device)).total for i in range(_BATCHES)]
    return {"validation_loss": float(torch.stack(losses).mean())}
