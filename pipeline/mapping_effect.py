"""What the mapping network does to the noisy latents over the timesteps (HARIVO, Figure A1)."""

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import torch

from pipeline.animatediff import Sampling, VideoModel, denoise

COLUMNS = ("timestep", "change", "change_sd", "mean_shift", "sd_change")


def mapping_effect(
    model: VideoModel,
    embeddings: torch.Tensor,
    noise: torch.Tensor,
    sampling: Sampling,
    unconditional: torch.Tensor | None = None,
) -> pd.DataFrame:
    """Statistics of the latents before and after the mapping network, a row for every sampling timestep.

    change, change_sd: mean and standard deviation of |after − before| over all values; mean_shift: mean of the
    differences; sd_change: standard deviation after less that before.

    Args:
        embeddings, noise, unconditional: as in `animatediff.sample`.

    Raises:
        ValueError: if the model has no mapping network.
    """
    with _observed(model) as seen:
        denoise(model, embeddings, noise, sampling, unconditional)
    timesteps = [int(t) for t in model.scheduler.timesteps]
    return pd.DataFrame([(t, *row) for t, row in zip(timesteps, seen, strict=True)], columns=list(COLUMNS))


@contextmanager
def _observed(model: VideoModel) -> Iterator[list[tuple[float, float, float, float]]]:
    if model.unet.mapping is None:
        raise ValueError("the model has no mapping network")
    seen: list[tuple[float, float, float, float]] = []

    def note(_module: torch.nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        before, after = inputs[0].double(), output.double()
        change = (after - before).abs()
        values = (change.mean(), change.std(), (after - before).mean(), after.std() - before.std())
        seen.append(tuple(float(value) for value in values))

    handle = model.unet.mapping.register_forward_hook(note)
    try:
        yield seen
    finally:
        handle.remove()
