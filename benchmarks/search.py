"""RichSpace's search: the closed form beside the literal algorithm, in one run.

    python -m benchmarks.search [--n 226] [--d 4096] [--k 30 300 1000]

Time is the best of the repeats. Memory is how far the peak of a fresh process rises above its inputs; that of the
literal algorithm does not depend on k and is measured at the smallest.
"""

import argparse
import resource
import time
from collections.abc import Callable
from multiprocessing import get_context

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from pipeline.richspace.interpolation import cosine_similarity, interpolate, perpendicular_foot, similarity_curve

Curve = Callable[[Tensor, Tensor, Tensor, int], Tensor]


def literal_curve(a: Tensor, b: Tensor, c: Tensor, k: int) -> Tensor:
    """Algorithm 3 line by line: one (n, d) interpolation and its cosine with the foot per step."""
    foot = perpendicular_foot(a, b, c)
    return torch.stack([cosine_similarity(interpolate(a, b, step, k), foot) for step in range(1, k + 1)])


def measure(curve: Callable[[], Tensor], repeats: int) -> tuple[float, Tensor]:
    """Seconds of the fastest of `repeats` calls, and the result."""
    seconds, result = [], torch.empty(0)
    for _ in range(repeats):
        start = time.perf_counter()
        result = curve()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def inputs(n: int, d: int) -> tuple[Tensor, Tensor, Tensor]:
    """Three random embeddings (n, d), float64."""
    a, b, c = torch.randn(3, n, d, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return a, b, c


def peak_memory(curve: Curve, n: int, d: int, k: int) -> float:
    """MiB by which the peak of a fresh process rises while it computes a curve."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak_rise, (curve, n, d, k))


def _peak_rise(curve: Curve, n: int, d: int, k: int) -> float:
    embeddings = inputs(n, d)
    curve(*(x[:2, :2] for x in embeddings), 2)  # loads what torch loads at its first use
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    curve(*embeddings, k)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=226)
    parser.add_argument("--d", type=int, default=4096)
    parser.add_argument("--k", type=int, nargs="+", default=[30, 300, 1000])
    wanted = parser.parse_args()
    size = (wanted.n, wanted.d)
    a, b, c = inputs(*size)
    literal_memory = peak_memory(literal_curve, *size, min(wanted.k))
    table = Table(
        "k",
        "literal s",
        "closed s",
        "times",
        "literal MiB",
        "closed MiB",
        "difference",
        "same step",
        title=f"similarity curve, n = {wanted.n}, d = {wanted.d}",
    )
    for k in wanted.k:
        slow, expected = measure(lambda k=k: literal_curve(a, b, c, k), repeats=1)
        fast, found = measure(lambda k=k: similarity_curve(a, b, c, k), repeats=5)
        table.add_row(
            f"{k}",
            f"{slow:.2f}",
            f"{fast:.4f}",
            f"{slow / fast:.0f}",
            f"{literal_memory:.0f}",
            f"{peak_memory(similarity_curve, *size, k):.0f}",
            f"{float((expected - found).abs().max()):.1e}",
            "yes" if int(expected.argmax()) == int(found.argmax()) else "NO",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
