"""Validation on a folder's videos or images, which no judge can read: the loss of those that are not trained on."""

import torch

from pipeline.training.task import Batch, Share, Source, Task

_BATCHES = 8


def mean_loss(task: Task[Batch], unseen: Source[Batch], size: int) -> dict[str, float]:
    """Mean loss of the same batches, timesteps and noise whenever it is asked for.

    Args:
        size: of a batch; its rows are taken one by one, because a training may have divided it among processes.
    """
    device, losses = next(task.model.parameters()).device, []
    for batch in (unseen.batch(-1 - i) for i in range(_BATCHES)):
        rows = (batch.part(Share(i, size)).to(device) for i in range(size))
        losses += [task.loss(task.model, row).total for row in rows]
    return {"validation_loss": float(torch.stack(losses).mean())}
