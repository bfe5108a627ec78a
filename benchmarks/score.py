"""Scoring a folder beside the way of the widely used implementations, in one run: speed, memory, values.

    python -m benchmarks.score [--clips 200] [--times 10] [--source ../shared/data/clips] [--device cpu]

The peers' way is re-created with the same weights and protocol: the whole set decoded into one float32 array for FVD
and once more for CLIPSIM (PIL, frame by frame), I3D with its batch norms and explicit padding in batches of ten, the
moments by numpy, `scipy.linalg.sqrtm`. Clips of 16 frames are cut from the source's videos and coded as H.264 like most
generated clips; half of them are the real side. Each way runs in a fresh process without a cache, and makes no
intervals. The second table is about memory: the same files ten times over, each under another name.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file
from scipy.linalg import sqrtm
from torch import nn
from torch.nn import functional as F

from metrics.distances.clipsim import clipsim
from metrics.networks import i3d
from metrics.networks.clip import DualEncoder
from metrics.networks.features import load_clip, load_i3d
from metrics.reading import video
from metrics.reading.captions import read_captions
from metrics.reading.errors import VideoError
from metrics.reading.sources import VIDEOS
from metrics.scoring.cache import FeatureCache
from metrics.scoring.protocol import named
from metrics.scoring.scorer import Scorer
from metrics.statistics.bootstrap import Uncertainty
from pipeline.config import paths

FRAMES, PEER_BATCH = 16, 10
CLIP, TOWER = paths.world_model("clip"), paths.MINILM


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


class PeerConv(nn.Module):
    """A unit of the ported I3D as it is usually written: explicit padding, convolution, batch norm, ReLU."""

    def __init__(self, tensors: dict[str, torch.Tensor], scope: str, stride: int) -> None:
        super().__init__()
        self.weight, self.stride = tensors[f"{scope}/weight"], stride
        self.norm = nn.BatchNorm3d(len(self.weight), eps=i3d.BATCH_NORM_EPS)
        self.norm.running_mean, self.norm.running_var = (tensors[f"{scope}/{name}"] for name in ("mean", "var"))
        self.norm.bias.data = tensors[f"{scope}/beta"]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        padded = pad(x, self.weight.shape[2:], (self.stride,) * 3)
        return F.relu(self.norm(F.conv3d(padded, self.weight, stride=self.stride)))


def pad(x: torch.Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> torch.Tensor:
    pads = i3d._padding(x.shape, kernel, stride)
    return F.pad(x, [side for pair in reversed(pads) for side in pair])


class PeerPool(nn.Module):
    def __init__(self, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.max_pool3d(pad(x, self.kernel, self.stride), self.kernel, self.stride)


def peer_i3d(weights: Path) -> nn.Module:
    """The same network with nothing folded: our modules with their units replaced."""
    tensors, network = load_file(weights), i3d.I3D.from_pretrained(weights).to(memory_format=torch.contiguous_format)
    for theirs, ours in i3d.UNITS.items():
        parent, name = f"trunk.{ours}".rsplit(".", 1)
        own = network.get_submodule(f"trunk.{ours}")
        setattr(network.get_submodule(parent), name, PeerConv(tensors, theirs, own.stride[0]))
    for path, module in list(network.named_modules()):
        if isinstance(module, i3d._MaxPool):
            parent, name = path.rsplit(".", 1)
            setattr(network.get_submodule(parent), name, PeerPool(module.kernel, module.stride))
    return network.eval().requires_grad_(False)


def whole_set(folder: Path) -> np.ndarray:
    """Every clip of a folder, resized, in one float32 array (N, T, 224, 224, 3) in [0, 1]: how the peers begin."""
    clips = []
    for path in sorted(folder.iterdir()):
        frames = torch.from_numpy(video.read_all(path)[:FRAMES]).movedim(-1, 1).float() / 255
        clips.append(F.interpolate(frames, (i3d.SIZE, i3d.SIZE), mode="bilinear").movedim(1, -1).numpy())
    return np.stack(clips)


@torch.inference_mode()
def peer(folder: Path, device: str) -> dict[str, float]:
    """FVD, then CLIPSIM, each with its own decoding of everything."""
    network, sides = peer_i3d(paths.I3D).to(device), []
    for side in ("gen", "real"):
        clips = whole_set(folder / side)
        parts = [torch.from_numpy(clips[i : i + PEER_BATCH]) * 2 - 1 for i in range(0, len(clips), PEER_BATCH)]
        inputs = (part.permute(0, 4, 1, 2, 3).to(device) for part in parts)
        sides.append(np.concatenate([peer_forward(network, x).cpu().numpy() for x in inputs]).astype(np.float64))
    (mu1, cov1), (mu2, cov2) = ((side.mean(axis=0), np.cov(side, rowvar=False)) for side in sides)
    distance = float(((mu1 - mu2) ** 2).sum() + np.trace(cov1 + cov2 - 2 * sqrtm(cov1 @ cov2).real))
    encoder, captions = DualEncoder(CLIP, TOWER, device), read_captions(folder / "captions.json")
    values = []
    for path in sorted((folder / "gen").iterdir()):
        frames = [Image.fromarray(frame) for frame in video.read_all(path)[:FRAMES]]
        small = [np.array(frame.resize((32, 32), Image.Resampling.BICUBIC)) for frame in frames]
        squares = [torch.from_numpy(frame).movedim(-1, 0)[None].float() / 255 for frame in small]
        features = torch.cat([encoder.frame_features(square) for square in squares])
        values.append(float(clipsim(features[None], encoder.text_features([captions[path.stem]]))[0]))
    return {"fvd": distance, "clipsim": float(np.mean(values))}


def peer_forward(network: nn.Module, clips: torch.Tensor) -> torch.Tensor:
    """The head as ours, without our change of memory layout."""
    pooled = F.avg_pool3d(network.trunk(clips), (2, 7, 7), stride=1)
    return network.logits(pooled).flatten(2).mean(dim=2)


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


WAYS = {
    "peers": peer,
    "ours": ours,
    "ours, bfloat16": lambda folder, device: ours(folder, device, "bfloat16"),
}


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
    start = time.perf_counter()
    values = WAYS[way](folder, device)
    gpu = torch.cuda.max_memory_allocated() / 2**30 if device != "cpu" else 0.0
    print(json.dumps({**values, "seconds": time.perf_counter() - start, "gpu": gpu}))


def several_times(folder: Path, target: Path, times: int) -> None:
    """The same clips, times over, as links."""
    captions = {}
    for side in ("gen", "real"):
        (target / side).mkdir(parents=True)
        for copy in range(times):
            for path in (folder / side).iterdir():
                (target / side / f"{copy}-{path.name}").symlink_to(path.resolve())
                captions[f"{copy}-{path.stem}"] = f"A red circle moves left, number {path.stem}."
    (target / "captions.json").write_text(json.dumps({k: v for k, v in captions.items() if int(k.split("-")[1]) % 2}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--source", type=Path, default=Path("../shared/data/clips"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--way", choices=list(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.way:
        run_way(wanted.way, wanted.folder, wanted.device)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "clips"
        cut(wanted.source, folder, wanted.clips)
        console = Console(width=120)
        console.print(comparison(folder, wanted.clips, wanted.device))
        if wanted.times > 1:
            console.print(growth(folder, wanted.clips, wanted.times, wanted.device))


COLUMNS = ("way", "clips", "clips/s", "peak GB", "GPU GB", "FVD", "CLIPSIM")


def comparison(folder: Path, clips: int, device: str) -> Table:
    table = Table(*COLUMNS, title=f"FVD + CLIPSIM of {clips} clips on {device}, {torch.get_num_threads()} threads")
    for way in WAYS:
        table.add_row(*row(way, clips, measured(way, folder, device)))
    return table


def growth(folder: Path, clips: int, times: int, device: str) -> Table:
    table = Table(*COLUMNS, title=f"The same clips, {times} times over")
    several_times(folder, folder.parent / "more", times)
    table.add_row(*row("ours", clips * times, measured("ours", folder.parent / "more", device)))
    return table


def row(way: str, clips: int, found: dict[str, Any]) -> Iterator[str]:
    yield from (
        way,
        str(clips),
        f"{clips / found['seconds']:.2f}",
        f"{found['memory']:.2f}",
        f"{found['gpu']:.2f}",
        f"{found['fvd']:.4f}",
        f"{found['clipsim']:.6f}",
    )


if __name__ == "__main__":
    main()
