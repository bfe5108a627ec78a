"""What the mapping network does to the noisy latents over the timesteps (HARIVO, Figure A1)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
import torch

from pipeline.harivo.unet import VideoUNet

COLUMNS = ("timestep", "change", "change_sd", "mean_shift", "sd_change")


def mapping_effect(unet: VideoUNet, sample: Callable[[], object]) -> pd.DataFrame:
    """Statistics of the latents before and after the mapping network while `sample` runs, a row for every timestep.

    change, change_sd: mean and standard deviation of |after − before| over all values; mean_shift: mean of the
    differences; sd_change: standard deviation after less that before.

    Args:
        sample: denoises with this network, once.

    Raises:
        ValueError: if the network has no mapping network.
    """
    with _observed(unet) as seen:
        sample()
    return pd.DataFrame(seen, columns=list(COLUMNS))


@contextmanager
def _observed(unet: VideoUNet) -> Iterator[list[tuple[float, ...]]]:
    if unet.mapping is None:
        raise ValueError("the model has no mapping network")
    timesteps: list[int] = []
    seen: list[tuple[float, ...]] = []

    def note_timestep(_module: torch.nn.Module, inputs: tuple[Any, ...]) -> None:
        timesteps.append(int(inputs[1]))

    def note(_module: torch.nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        before, after = inputs[0].double(), output.double()
        change = (after - before).abs()
        values = (change.mean(), change.std(), (after - before).mean(), after.std() - before.std())
        seen.append((timesteps[-1], *(float(value) for value in values)))

    handles = [unet.register_forward_pre_hook(note_timestep), unet.mapping.register_forward_hook(note)]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
