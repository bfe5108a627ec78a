"""The stateful metrics in two real processes that talk over gloo: each sees half of the clips, both get the whole."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import distributed, multiprocessing

import metrics
from metrics.distances.clipsim import clipsim
from metrics.distances.fvd import fvd
from metrics.distances.kvd import kernel_distance

N, D, T = 10, 4, 3


def data() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    gen, real = (torch.from_numpy(rng.normal(mean, 1, size=(N, D))) for mean in (0.0, 1.0))
    frames, text = (
        torch.nn.functional.normalize(torch.from_numpy(rng.normal(size=shape)).float(), dim=-1)
        for shape in ((N, T, D), (N, D))
    )
    return gen, real, frames, text


def half(rank: int, folder: str) -> None:
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2, timeout=timedelta(minutes=2)
    )
    gen, real, frames, text = (side[rank::2] for side in data())
    frechet, kernel, similarity = metrics.FrechetVideoDistance(d=D), metrics.KernelVideoDistance(), metrics.CLIPSIM()
    for distance in (frechet, kernel):
        distance.update(gen, real=False)
        distance.update(real, real=True)
    similarity.update(frames, text)
    found = torch.stack([metric.compute().double() for metric in (frechet, kernel, similarity)])
    torch.save(found, f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


def test_two_processes_agree_with_one(tmp_path: Path) -> None:
    """This process is one of them: starting another costs seconds of imports."""
    other = multiprocessing.spawn(half, (str(tmp_path),), nprocs=1, join=False)  # of rank 0
    half(1, str(tmp_path))
    while not other.join():
        pass
    gen, real, frames, text = data()
    expected = [
        fvd(gen.numpy(), real.numpy()),
        kernel_distance(gen.numpy(), real.numpy()),
        float(clipsim(frames, text).mean()),
    ]
    for rank in range(2):
        assert torch.load(tmp_path / f"{rank}.pt").tolist() == pytest.approx(expected, rel=1e-6)
