"""Attention on a video as one image against attention on a video as frames: ETC's Table 3 and Figure 10.

    python -m benchmarks.attention [--device cuda] [--scale 2] [--tokens 16384] [--rounds 4] [--csv FILE]

`--scale` divides the places of a frame, `--tokens` is B L of Figure 10. The defaults are the paper's, some 50 s on one
thread. Seconds are of one call, the best (and the median) of all; the paper prints them for 1,000. On a CPU this is CPU
time, of all threads together. MiB are measured on a GPU; on a CPU they are what Eq. 8 holds with all scores, computed:
torch's own kernel does not hold them.
"""

import argparse
import os
from pathlib import Path

import pandas as pd
import torch
from rich.console import Console
from rich.table import Table

from pipeline.etc.cost import SETTINGS, Shape, ratio
from pipeline.etc.timing import ROUNDS, SWEPT, figure_10, scaled, table_3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=SWEPT)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--csv", type=Path, help="both tables in one file")
    wanted = parser.parse_args()
    styles = table_3(wanted.scale, wanted.rounds, wanted.device)
    sweep = figure_10(wanted.tokens, wanted.rounds, wanted.device)
    if wanted.csv:
        pd.concat([styles, sweep]).to_csv(wanted.csv, index=False)
    console = Console(width=120)
    used = f"{wanted.device}, {torch.get_num_threads()} of {os.cpu_count()} threads, torch {torch.__version__}"
    console.print(_of_styles(styles, f"Table 3, places of a frame / {wanted.scale}; {used}"))
    console.print(_of_sweep(sweep, f"Figure 10, {wanted.tokens} tokens; {used}"))


def _of_styles(found: pd.DataFrame, title: str) -> Table:
    """A row for each attention; image / video on that of the image: of times, memory and operations."""
    columns = ("setting", "part", "shape", "best s", "median s", "calls", "MiB", "time", "memory", "operations")
    table = Table(*columns, title=f"{title}\ntime, memory, operations: image / video")
    for name, own in found.groupby("setting", sort=False):
        image, *video = own.to_dict("records")
        time = image["best_s"] / sum(part["best_s"] for part in video)
        memory = image["memory_mib"] / max(part["memory_mib"] for part in video)  # one after the other
        operations = ratio(scaled(SETTINGS[str(name)], image["scale"]))
        for part in (image, *video):
            shape = Shape(part["batch"], part["tokens"], part["channels"])
            ratios = [f"{value:.2f}" for value in (time, memory, operations)] if part is image else []
            table.add_row(str(name), part["part"], str(shape), *_numbers(part), *ratios)
    return table


def _of_sweep(found: pd.DataFrame, title: str) -> Table:
    """A row for each number of sequences; time and operations as shares of the largest."""
    columns = ("B", "L", "best s", "median s", "calls", "MiB", "time %", "operations %", "receptive field %")
    table = Table(*columns, title=title)
    for own in found.to_dict("records"):
        shares = own["best_s"] / found.best_s.max(), own["operations"] / found.operations.max(), own["receptive_field"]
        percent = [f"{100 * share:.3g}" for share in shares]
        table.add_row(str(own["batch"]), str(own["tokens"]), *_numbers(own), *percent)
    return table


def _numbers(own: dict) -> list[str]:
    return [f"{own['best_s']:.5f}", f"{own['median_s']:.5f}", str(own["calls"]), f"{own['memory_mib']:.1f}"]


if __name__ == "__main__":
    main()
