"""Scoring a folder beside I3D alone and beside the way of the widely used implementations: speed, memory, values.

    python -m benchmarks.score [--clips 200] [--times 10] [--rounds 3] [--source ../shared/data/clips] [--device cpu]

Clips of 16 frames are cut from the source's videos and coded as H.264 like most generated clips; half of them are the
real side. Each way runs in a fresh process without a cache, and makes no intervals; the ways take turns, so that all of
them meet the same machine, and medians are printed. I3D alone gets clips that are decoded and resized already, one at a
time in as many processes as there are cores. The peers' way is re-created in `benchmarks.peers`. The last table is
about memory: the same files several times over, each under another name.
"""

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.peers import CLIP, FRAMES, TOWER, peer
from metrics.networks import i3d
from metrics.networks.features import I3DFeatures, load_clip, load_i3d
from metrics.networks.i3d import extract
from metrics.reading import video
from metrics.reading.errors import VideoError
from metrics.reading.sources import VIDEOS, Source, find
from metrics.scoring.cache import FeatureCache
from metrics.scoring.extraction import cores
from metrics.scoring.memory import keep
from metrics.scoring.protocol import named
from metrics.scoring.scorer import Scorer
from metrics.statistics.bootstrap import Uncertainty
from pipeline.config import paths

AT_ONCE = 20  # clips that lie prepared in memory


def cut(source: Path, folder: Path, wanted: int) -> None:
    """Clips of 16 frames from every video below `source`, in turn, half of them into gen/, half into real/."""
    starts = ((path, start) for start in range(0, 10_000, FRAMES // 2) for path in sorted(source.rglob("*.*")))
    frames: dict[Path, np.ndarray] = {}
    made, idle = 0, 0
    for path, start in starts:
        if made == wanted or idle > 500:
            break
        if path.suffix.lower() not in VIDEOS:
            continue
        if path not in frames:
            try:
                frames[path] = video.read_all(path)[:400]
            except VideoError:
                frames[path] = np.empty((0,))
        clip = frames[path][start : start + FRAMES]
        idle += 1
        if len(clip) == FRAMES:
            idle = 0
            encode(folder / ("gen" if made % 2 else "real") / f"{made:05d}.mp4", clip)
            made += 1
    if made < wanted:
        raise SystemExit(f"{source} yields {made} clips of {wanted}")
    captions = {f"{i:05d}": f"A red circle moves left, number {i}." for i in range(1, wanted, 2)}
    (folder / "captions.json").write_text(json.dumps(captions))


def encode(path: Path, clip: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(8), options={"crf": "18"})
        stream.codec_context.thread_count = 1  # x264 is deterministic on one thread
        stream.height, stream.width, stream.pix_fmt = clip.shape[1] // 2 * 2, clip.shape[2] // 2 * 2, "yuv420p"
        for frame in clip[:, : stream.height, : stream.width]:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode())


def ours(folder: Path, device: str, precision: str = "float32") -> dict[str, float]:
    """`reelbench score` without its intervals, which the peers do not give, and without a cache."""
    protocol = named("reelbench")
    networks = [
        load_i3d(paths.I3D, protocol.i3d_resize, device, getattr(torch, precision)),
        load_clip(CLIP, TOWER, protocol.clip_resize, device),
    ]
    scorer = Scorer(networks, protocol, FeatureCache(None), Uncertainty(0))
    found, _ = scorer.score(["fvd", "clipsim"], folder / "gen", folder / "real", captions=folder / "captions.json")
    return {value.metric: float(value.value or 0) for value in found.values}


def alone(folder: Path, device: str) -> dict[str, float]:
    """I3D on clips that are prepared, in as many processes as there are cores, as scoring does it; on a GPU in one.

    Only the forward passes count: by the clock of the slowest process, and all processes' seconds and faults.
    """
    workers = cores() if device == "cpu" else 1
    network = load_i3d(paths.I3D, named("reelbench").i3d_resize, device)
    sources = [source for side in ("gen", "real") for source in find(folder / side)]
    spent = dict.fromkeys(usage(), 0.0)
    if device == "cpu":
        logits(network, torch.zeros(3, FRAMES, i3d.SIZE, i3d.SIZE))  # filters are made once, and shared
    context = get_context("fork" if device == "cpu" else "spawn")
    with context.Pool(workers, begin, (context.Barrier(workers),)) as pool:
        for i in range(0, len(sources), AT_ONCE):
            parts = [(network, sources[i + k : i + AT_ONCE : workers]) for k in range(workers)]
            each = pool.starmap(timed, parts, chunksize=1)
            spent["seconds"] += max(one["seconds"] for one in each)
            for name in ("cpu", "faults"):
                spent[name] += sum(one[name] for one in each)
    return spent


def begin(barrier: Any) -> None:
    global ready
    ready = barrier
    torch.set_num_threads(1)
    keep()


def timed(network: I3DFeatures, sources: list[Source]) -> dict[str, float]:
    """What the forward passes take, all processes starting at once; the first clip is also run before, unmeasured."""
    protocol = named("reelbench")
    clips = [network.prepare(video.read(source, protocol.clips).clips[0]) for source in sources]
    for clip in clips[:1]:
        logits(network, clip)
    ready.wait()
    before = usage()
    for clip in clips:
        logits(network, clip)
    return {name: after - before[name] for name, after in usage().items()}


def logits(network: I3DFeatures, clip: torch.Tensor) -> torch.Tensor:
    return extract(network.network, clip[None])


WAYS = {
    "I3D alone": alone,
    "ours": ours,
    "ours, bfloat16": lambda folder, device: ours(folder, device, "bfloat16"),
    "peers": peer,
}


def usage() -> dict[str, float]:
    """Seconds by the clock, and processor seconds and page faults of this process and of those that it waited for."""
    faults = sum(resource.getrusage(who).ru_minflt for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"seconds": time.perf_counter(), "cpu": sum(os.times()[:4]), "faults": float(faults)}


def measured(way: str, folder: Path, device: str) -> dict[str, Any]:
    """Values, seconds and peak memory of one way, in a process of its own whose whole tree is watched."""
    command = [sys.executable, "-m", "benchmarks.score", "--way", way, "--folder", str(folder), "--device", device]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        tree, peak = psutil.Process(process.pid), 0
        while process.poll() is None:
            peak = max(peak, held(tree))
            time.sleep(0.1)
        assert process.stdout is not None
        output = process.stdout.read()
    if process.returncode:
        raise SystemExit(f"{way} failed")
    return json.loads(output.strip().split("\n")[-1]) | {"memory": peak / 2**30}


def held(tree: psutil.Process) -> int:
    """Bytes held by a process and its children; what they share counts once."""
    total = 0
    with contextlib.suppress(psutil.Error):
        for process in (tree, *tree.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss
    return total


def run_way(way: str, folder: Path, device: str) -> None:
    before = usage()
    found = WAYS[way](folder, device)
    spent = {name: after - before[name] for name, after in usage().items()}
    gpu = torch.cuda.max_memory_allocated() / 2**30 if device != "cpu" else 0.0
    print(json.dumps({**spent, "gpu": gpu, **found}))


def several_times(folder: Path, target: Path, times: int) -> Path:
    """The same clips, times over, as links."""
    captions = {}
    for side in ("gen", "real"):
        (target / side).mkdir(parents=True)
        for copy in range(times):
            for path in (folder / side).iterdir():
                (target / side / f"{copy}-{path.name}").symlink_to(path.resolve())
                captions[f"{copy}-{path.stem}"] = f"A red circle moves left, number {path.stem}."
    (target / "captions.json").write_text(json.dumps({k: v for k, v in captions.items() if int(k.split("-")[1]) % 2}))
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--source", type=Path, default=Path("../shared/data/clips"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--way", choices=list(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.way:
        run_way(wanted.way, wanted.folder, wanted.device)
        return
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "clips"
        cut(wanted.source, folder, wanted.clips)
        runs = [
            {way: measured(way, folder, wanted.device) for way in wanted.ways} for _ in range(max(1, wanted.rounds))
        ]
        title = f"FVD + CLIPSIM of {wanted.clips} clips on {wanted.device}, {torch.get_num_threads()} threads"
        console.print(table(title, wanted.clips, {way: medians([run[way] for run in runs]) for way in wanted.ways}))
        for line in ratios(runs):
            console.print(line, highlight=False)
        if wanted.times > 1:
            more, clips = several_times(folder, folder.parent / "more", wanted.times), wanted.clips * wanted.times
            console.print(
                table(
                    f"The same clips, {wanted.times} times over", clips, {"ours": measured("ours", more, wanted.device)}
                )
            )


def medians(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def ratios(runs: list[dict[str, Any]]) -> Iterator[str]:
    """What the clock and the processor say of ours, round by round, against the others."""
    for other, turned in (("I3D alone", False), ("peers", True)):
        if not {"ours", other} <= set(runs[0]):
            continue
        for name, what in (("seconds", "wall time"), ("cpu", "processor time")):
            values = [run["ours"][name] / run[other][name] for run in runs]
            shown = sorted(1 / value if turned else value for value in values)
            said = f"{other} / ours" if turned else f"ours / {other}"
            yield f"{said}, {what}: {statistics.median(shown):.3f} ({shown[0]:.3f} to {shown[-1]:.3f})"


COLUMNS = ("way", "clips", "clips/s", "CPU s/clip", "faults/clip", "peak GB", "GPU GB", "FVD", "CLIPSIM")


def table(title: str, clips: int, found: dict[str, dict[str, Any]]) -> Table:
    shown = Table(*COLUMNS, title=title)
    for way, values in found.items():
        shown.add_row(
            way,
            str(clips),
            f"{clips / values['seconds']:.2f}",
            f"{values['cpu'] / clips:.3f}",
            f"{values['faults'] / clips:.0f}",
            f"{values['memory']:.3f}",
            f"{values['gpu']:.2f}",
            f"{values['fvd']:.4f}" if "fvd" in values else "",
            f"{values['clipsim']:.6f}" if "clipsim" in values else "",
        )
    return shown


if __name__ == "__main__":
    main()
