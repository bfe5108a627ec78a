"""How often the Jarque-Bera test takes a video's noise for Gaussian (HARIVO, Table A1)."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

import numpy as np
import pandas as pd
import torch
from scipy import stats

from metrics.forking import garbage_left_behind
from metrics.progress import each
from metrics.statistics.proportions import wilson
from pipeline.harivo.noise import correlate

Shape = tuple[int, int, int, int]  # (C, F, h, w)
_TESTED = 1_000_000  # values at once: scipy's copies of them stay in the cache, nine times faster than 25 million


def passes(shape: Shape, weight: float, videos: int, seed: int, level: float = 0.05) -> int:
    """Number of noises that the Jarque-Bera test takes for Gaussian at p > `level`, a whole video being one sample.

    (HARIVO, Table A1.) `shape` is (C, F, h, w); `weight` PYoCo's a, 0 for independent noise.
    """
    return sum(
        int((stats.jarque_bera(part, axis=1).pvalue > level).sum())
        for noises in _noises(shape, weight, videos, seed)
        for part in np.array_split(noises, -(-noises.size // _TESTED))
    )


def _noises(shape: Shape, weight: float, videos: int, seed: int) -> Iterator[np.ndarray]:
    """Flattened noises, float32 (n, C F h w), a hundred megabytes at a time."""
    rng = np.random.default_rng(seed)
    channels, _, height, width = shape
    batch = max(1, 25_000_000 // int(np.prod(shape)))
    for start in range(0, videos, batch):
        n = min(batch, videos - start)
        own = torch.from_numpy(rng.standard_normal((n, *shape), dtype=np.float32))
        shared = torch.from_numpy(rng.standard_normal((n, channels, 1, height, width), dtype=np.float32))
        yield correlate(own, shared, weight).flatten(1).numpy()


def table_a1(cases: Sequence[tuple[Shape, float]], videos: int, seed: int = 0) -> pd.DataFrame:
    """A row for every shape and mixing weight (0: independent noise): the share that passes, with Wilson's interval."""
    rows = []
    counts = _counted(cases, videos, seed)
    for (shape, weight), count in zip(each(cases, "normality", "cases"), counts, strict=True):
        rows.append(_described(shape, weight) | {"videos": videos} | _share(count, videos))
    return pd.DataFrame(rows)


def _described(shape: Shape, weight: float) -> dict[str, object]:
    """A noise; the frames of mixed noise correlate by a² / (1 + a²)."""
    correlation, size = weight**2 / (1 + weight**2), "x".join(map(str, shape))
    kind = "mixed" if weight else "iid"
    return {"noise": kind, "weight": weight, "frames": shape[1], "correlation": correlation, "shape": size}


def _share(count: int, videos: int) -> dict[str, float]:
    rate = wilson(count, videos)
    return {"share": rate.value, "low": rate.low, "high": rate.high}


def _counted(cases: Sequence[tuple[Shape, float]], videos: int, seed: int) -> Iterator[int]:
    """`passes` of each case, a core for each: drawing and testing use one thread."""
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(os.cpu_count(), fork, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        shapes, weights = zip(*cases, strict=True)
        with garbage_left_behind():  # all are forked with the first
            counts = pool.map(passes, shapes, weights, repeat(videos), repeat(seed))
        yield from counts
