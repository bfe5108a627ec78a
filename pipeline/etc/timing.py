"""How long attention takes on a video as one image and on a video as frames: ETC's Table 3 and Figure 10, measured.

Attention is Eq. 7 and 8 with one head, in float32: three matrices, then the function of torch that diffusers calls. The
shapes take turns in rounds, so that a slow moment of the machine meets all of them.
"""

import os
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import pandas as pd
import torch
import torch.nn.functional as F

from metrics.progress import each
from pipeline.etc.cost import SETTINGS, Setting, Shape, held, operations, receptive_field

Work = TypeVar("Work", bound=Hashable)

ROUNDS = 4
SWEPT = 2**14  # tokens of Figure 10, B L
LEAST = 0.1  # seconds that each is called for in a round, with one call at least


def attention(hidden: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    """Softmax(Q Kᵀ / √C) V (Eq. 7 and 8).

    Args:
        hidden: (B, L, C). matrices: (3, C, C), of Q, K and V.

    Returns:
        (B, L, C).
    """
    query, key, value = (hidden[:, None] @ matrix for matrix in matrices)  # kernels want an axis of heads
    return F.scaled_dot_product_attention(query, key, value)[:, 0]


def table_3(scale: int = 1, rounds: int = ROUNDS, device: str = "cpu") -> pd.DataFrame:
    """Table 3: the attention of an image-style model, and the two of a video-style one, at the paper's four settings.

    Args:
        scale: by what the places of a frame are divided, for a device that is too slow for the paper's. rounds: see
            `measured`, also for the columns.

    Returns:
        A row for each setting and part, in the order of SETTINGS: setting, part (image, spatial, temporal), scale, and
        the columns of `measured`.

    Raises:
        ValueError: if the scale divides no frame.
    """
    settings = {name: scaled(setting, scale) for name, setting in SETTINGS.items()}
    shapes = {(name, part): shape for name, setting in settings.items() for part, shape in setting.parts.items()}
    found = measured(list(shapes.values()), rounds, device, "attention, Table 3")
    names = [{"setting": name, "part": part, "scale": scale} for name, part in shapes]
    return pd.concat([pd.DataFrame(names), found], axis=1)


def figure_10(tokens: int = SWEPT, rounds: int = ROUNDS, device: str = "cpu") -> pd.DataFrame:
    """Figure 10: the same tokens in 1, 2, 4 … sequences, up to as many as there are tokens; 4 channels.

    Returns:
        A row for each, with the columns of `measured`.

    Raises:
        ValueError: if the number of tokens is no power of two.
    """
    if tokens < 1 or tokens & (tokens - 1):
        raise ValueError(f"tokens: found {tokens}, expected a power of two, such as {SWEPT}")
    shapes = [Shape(2**i, tokens // 2**i, 4) for i in range(tokens.bit_length())]
    return measured(shapes, rounds, device, "attention, Figure 10")


def scaled(setting: Setting, scale: int) -> Setting:
    """A setting with fewer places in a frame.

    Raises:
        ValueError: if the scale divides no frame.
    """
    if scale < 1 or setting.places % scale:
        raise ValueError(f"scale: found {scale}, expected a divisor of {setting.places}, the places of a frame")
    return replace(setting, places=setting.places // scale)


def measured(shapes: Sequence[Shape], rounds: int, device: str, title: str) -> pd.DataFrame:
    """Time attention of these shapes in turns; of equal ones once.

    Returns:
        A row for each shape: batch, tokens, channels; operations and receptive_field as in `cost`; best_s and median_s,
        seconds of one call as `in_turns` has them, and of how many calls; memory_mib, on a GPU the measured peak above
        the hidden states, on a CPU what `cost.held` computes; device, cpus, threads and torch.
    """
    inputs = {shape: _inputs(shape, device) for shape in dict.fromkeys(shapes)}
    memory = {shape: _memory(shape, *own) for shape, own in inputs.items()}
    works = {shape: partial(attention, *own) for shape, own in inputs.items()}
    seconds = in_turns(works, rounds, device, title)
    about = {"device": device, "cpus": os.cpu_count(), "threads": torch.get_num_threads(), "torch": torch.__version__}
    return pd.DataFrame([_row(shape, seconds[shape], memory[shape]) | about for shape in shapes])


@torch.inference_mode()
def in_turns(
    works: Mapping[Work, Callable[[], object]], rounds: int, device: str, title: str
) -> dict[Work, list[float]]:
    """Seconds of every call of each work: in each round one after the other, each until LEAST is over.

    On a CPU these are the process's CPU time, of all its threads together: with one thread the seconds of an idle
    machine, nearly whatever else runs. On a GPU they pass until the result is there.
    """
    clock = time.perf_counter if device == "cuda" else time.process_time
    seconds: dict[Work, list[float]] = {name: [] for name in works}
    for name in each([*works] * rounds, title, "timings"):
        begun = clock()
        while True:
            start = clock()
            works[name]()
            if device == "cuda":
                torch.cuda.synchronize()
            end = clock()
            seconds[name].append(end - start)
            if end - begun >= LEAST:
                break
    return seconds


def _row(shape: Shape, seconds: Sequence[float], memory: float) -> dict[str, float]:
    computed = {"operations": operations(shape), "receptive_field": receptive_field(shape)}
    times = pd.Series(seconds)
    found = {"best_s": times.min(), "median_s": times.median(), "calls": len(times), "memory_mib": memory / 2**20}
    return vars(shape) | computed | found


def _inputs(shape: Shape, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Hidden states and matrices, drawn on the CPU."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(shape.batch, shape.tokens, shape.channels, generator=generator)
    return hidden.to(device), torch.randn(3, shape.channels, shape.channels, generator=generator).to(device)


@torch.inference_mode()
def _memory(shape: Shape, hidden: torch.Tensor, matrices: torch.Tensor) -> float:
    """Bytes. On a GPU the kernel is loaded meanwhile, before anything is timed."""
    if hidden.device.type != "cuda":
        return held(shape)
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    attention(hidden, matrices)
    return torch.cuda.max_memory_allocated() - before
