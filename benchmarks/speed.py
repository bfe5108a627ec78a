"""Frames a second of methods in each precision, in turns, so that ratios are the networks' and not the hour's.

`python -m benchmarks.speed etc animatediff` prints a table; without names all that are evaluated, one of each sampler.
Needs what `dvc repro check` makes. The report's Speed is of each method's own precision, when its clips were made.
"""

import argparse
import statistics
import time

import pandas as pd
import torch

from metrics.progress import each
from pipeline.config import params
from pipeline.config.params import Params
from pipeline.methods.base import Method, build
from pipeline.methods.context import Context, Inputs


def main() -> None:
    wanted = params.load()
    every = [name for name in wanted.generate.evaluated if name in wanted.generate.methods]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", default=every)
    parser.add_argument("--clips", type=int, default=8, help="sampled together")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rates: dict[tuple[str, str], list[float]] = {}
    made = {
        (name, precision): method
        for precision in ("float32", "bfloat16")
        for name, method in prepared(in_precision(wanted, precision), given.methods).items()
    }
    for _ in each(range(given.rounds), "speed", "rounds"):
        for key, method in made.items():
            rates.setdefault(key, []).append(frames_per_second(method, given.clips))
    table = pd.DataFrame({key: statistics.median(values) for key, values in rates.items()}, index=["rate"]).T["rate"]
    table = table.unstack()
    table.columns = [f"frames/s, {name}" for name in table.columns]
    print(f"{given.clips} clips at a time, {torch.get_num_threads()} threads, median of {given.rounds} rounds\n")
    print(table.to_markdown(floatfmt=".2f"))


def in_precision(wanted: Params, precision: str) -> Params:
    """The parameters with every model's denoiser computing in one precision."""
    values = wanted.model_dump()
    for model in values["generate"]["models"].values():
        model["sampling"]["precision"] = precision
    return Params.model_validate(values)


def prepared(wanted: Params, names: list[str]) -> dict[str, Method]:
    """Methods ready to sample, the first of each sampler."""
    found, inputs = {}, Inputs()
    for name in names:
        method = build(Context.of(wanted, name, inputs))
        if method.sampler not in [other.sampler for other in found.values()]:
            method.prepare()
            found[name] = method
    return found


def frames_per_second(method: Method, clips: int) -> float:
    """Of sampling and decoding one batch, as the ledger of clips counts."""
    jobs = method.jobs()[:clips]
    start = time.perf_counter()
    made = method.generate(jobs)
    return len(jobs) * made.shape[1] / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
