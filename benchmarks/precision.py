"""How closely each step of the metrics agrees with its original; the figures of docs/precision.md.

    python -m benchmarks.precision [--shared ../shared/data] [--noise 128]

Takes some five minutes on two cores. Clips are those under shared/clips; published values are under shared/fvd.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from scipy.linalg import sqrtm

from benchmarks.peers import peer_forward, peer_i3d
from benchmarks.score import cut
from metrics.distances.fvd import fvd, moments
from metrics.distances.kvd import kernel_distance
from metrics.distances.stateful import FrechetVideoDistance
from metrics.networks.i3d import I3D, extract, prepare
from metrics.networks.resize import resize
from metrics.networks.rules import Resize
from metrics.reading import video
from metrics.reading.errors import VideoError
from metrics.reading.rule import ClipRule
from metrics.reading.sources import find
from metrics.scoring.protocol import PROTOCOLS

Row = tuple[str, str, str, str]


def clips_of(folder: Path) -> list[np.ndarray]:
    """The first 16 frames of every video below a folder that has as many."""
    found = []
    for source in find(folder):
        try:
            found.append(video.read(source, ClipRule(), "pyav").clips[0])
        except VideoError:
            continue
    return found


def decoding(shared: Path) -> Iterator[Row]:
    if video.best_decoder() != "torchcodec":
        yield "decode", "torchcodec is not installed", "", ""
        return
    worst, n = 0, 0
    for source in find(shared / "clips"):
        try:
            both = [video.read(source, ClipRule(), name).clips.astype(int) for name in ("pyav", "torchcodec")]
        except VideoError:
            continue
        worst, n = max(worst, int(np.abs(both[0] - both[1]).max())), n + 1
    yield "decode", f"PyAV and torchcodec, {n} videos", "largest difference of 255", f"{worst}"


def bilinear(frame: np.ndarray, size: int, half_pixel: bool) -> np.ndarray:
    """The definition in float64: rows, then columns, as matrices of weights."""
    matrices = []
    for length in frame.shape[1:]:
        at = (np.arange(size) + 0.5) * length / size - 0.5 if half_pixel else np.arange(size) * length / size
        at = at.clip(0, length - 1)
        low = np.floor(at).astype(int)
        matrix = np.zeros((size, length))
        matrix[np.arange(size), low] += 1 - (at - low)
        matrix[np.arange(size), np.minimum(low + 1, length - 1)] += at - low
        matrices.append(matrix)
    return matrices[0] @ frame @ matrices[1].T


def resizing(clips: list[np.ndarray]) -> Iterator[Row]:
    frames = [torch.from_numpy(clip[:1]) for clip in clips]
    rules = {Resize.SQUASH_BILINEAR: "half-pixel centres", Resize.SQUASH_BILINEAR_TF1: "TF1 corners"}
    for rule, name in rules.items():
        errors = []
        for frame in frames:
            exact = bilinear(frame[0].movedim(-1, 0).double().numpy(), 224, rule == Resize.SQUASH_BILINEAR)
            errors.append(np.abs(resize(frame, 224, rule)[0].numpy() - exact).max())
        yield "resize", f"bilinear, {name}: definition in float64", "largest of 255", f"{max(errors):.1e}"
    first, second = rules
    between = [(resize(f, 224, first) - resize(f, 224, second)).abs() for f in frames]
    yield (
        "resize",
        "the two bilinear rules against each other",
        "mean, largest of 255",
        (f"{np.mean([float(b.mean()) for b in between]):.2f}, {max(float(b.max()) for b in between):.0f}"),
    )
    differences = []
    for frame in frames:
        height, width = frame.shape[1:3]
        target = (224 * width // height, 224) if height < width else (224, 224 * height // width)
        left, top = ((n - 224) // 2 for n in target)
        picture = Image.fromarray(frame[0].numpy()).resize(target, Image.Resampling.BICUBIC)
        pils = np.asarray(picture, np.float64)[top : top + 224, left : left + 224]
        differences.append(np.abs(resize(frame, 224, Resize.CENTRE_BICUBIC)[0].movedim(0, -1).numpy() - pils))
    yield (
        "resize",
        "bicubic, centre crop: PIL, which CLIP was trained with",
        "mean, largest of 255",
        (f"{np.mean([d.mean() for d in differences]):.3f}, {max(d.max() for d in differences):.0f}"),
    )


@torch.inference_mode()
def network(shared: Path, clips: list[np.ndarray]) -> Iterator[Row]:
    exact, half = I3D.from_pretrained(), I3D.from_pretrained(dtype=torch.bfloat16)
    inputs = torch.cat([prepare(torch.from_numpy(clip)[None]) for clip in clips])
    literal = peer_i3d(Path("models/public/i3d.safetensors"))
    unfolded = torch.cat([peer_forward(literal, x[None]) for x in inputs])
    logits = torch.cat([extract(exact, x[None]) for x in inputs])
    near = torch.cat([extract(half, x[None]) for x in inputs])
    top = float(logits.abs().max())
    yield (
        "I3D",
        f"folded against unfolded, {len(clips)} clips, logits up to {top:.0f}",
        "largest",
        (f"{float((logits - unfolded).abs().max()):.1e}"),
    )
    yield (
        "I3D",
        "bfloat16 trunk against float32",
        "largest, root mean square",
        (f"{float((logits - near).abs().max()):.2f}, {float((logits - near).square().mean().sqrt()):.3f}"),
    )
    published = {entry["id"]: entry for entry in json.loads((shared / "fvd/published_fvd_values.json").read_text())}
    ours = {t: constant(exact, t) for t in range(10, 31)}
    yield "I3D", "constant clips, 30 frames: 151.39244 (TensorFlow)", "found", f"{ours[30]:.5f}"
    others = published["junyaohu_zeros_ones"]["fvd_by_prefix_frames_10_to_30"]
    off = [abs(ours[t] / other - 1) for t, other in zip(range(10, 31), others, strict=True)]
    yield (
        "I3D",
        "constant clips, 10 to 30 frames: StyleGAN-V's network as published",
        "relative, largest",
        f"{max(off):.1e}",
    )
    gif = video.read_all(shared / "fvd/v_CricketShot_g04_c01_rgb.gif")
    scores = extract(exact, prepare(torch.from_numpy(gif)[None]))[0]
    labels = (shared / "fvd/label_map.txt").read_text().splitlines()
    best = int(scores.argmax())
    yield (
        "I3D",
        "cricket clip, as GIF (the published input is not)",
        "class, probability",
        (f"{labels[best]}, {float(scores.softmax(0)[best]):.6f}"),
    )


def constant(network: I3D, frames: int) -> float:
    black, white = (extract(network, torch.full((1, 3, frames, 224, 224), v)) for v in (-1.0, 1.0))
    return float(((black - white) ** 2).sum())


def noise(n: int) -> Iterator[Row]:
    sides: dict[str, list[np.ndarray]] = {"float32": [], "bfloat16": []}
    for dtype in sides:
        net = I3D.from_pretrained(dtype=getattr(torch, dtype))
        for seed in (1, 2):
            rng = np.random.RandomState(seed)
            logits = []
            for _ in range(n // 4):
                clips = torch.from_numpy(rng.rand(4, 16, 224, 224, 3).astype(np.float32))
                logits.append(extract(net, clips.movedim(-1, 1)).numpy())
            sides[dtype].append(np.concatenate(logits))
    gen, real = sides["float32"]
    plain = fvd(gen, real)
    yield "FVD", f"noise, {n} clips a side: 10.138085 (TensorFlow, 128 clips)", "found", f"{plain:.6f}"
    yield "FVD", "the same with population covariance (styleganv)", "found", f"{fvd(gen, real, 0):.6f}"
    yield (
        "FVD",
        "the same with a bfloat16 trunk",
        "relative change",
        change(fvd(*sides["bfloat16"]), plain),
    )
    a, b = moments(gen), moments(real)
    cross = float(np.trace(sqrtm(a.covariance @ b.covariance)).real)
    shift = a.mean - b.mean
    scipys = float(shift @ shift + np.trace(a.covariance + b.covariance)) - 2 * cross
    yield (
        "FVD",
        "scipy.linalg.sqrtm of the (singular) product",
        "relative change",
        change(scipys, plain),
    )
    running = FrechetVideoDistance()
    for side, is_real in ((gen, False), (real, True)):
        for i in range(0, n, 8):
            running.update(torch.from_numpy(side[i : i + 8]), real=is_real)
    yield (
        "FVD",
        "running sums against two passes",
        "relative change",
        change(float(running.compute()), plain),
    )


def change(found: float, plain: float) -> str:
    return f"{found / plain - 1:+.1e}"


def protocols(shared: Path) -> Iterator[Row]:
    """What the choices are worth, on clips cut from the shared videos."""
    net = I3D.from_pretrained()
    with tempfile.TemporaryDirectory() as scratch:
        cut(shared / "clips", Path(scratch), 120)
        sides = {side: clips_of(Path(scratch) / side) for side in ("gen", "real")}
    values = {}
    for name, protocol in PROTOCOLS.items():
        features = [
            np.concatenate(
                [extract(net, prepare(torch.from_numpy(c)[None], protocol.i3d_resize)).numpy() for c in side]
            )
            for side in sides.values()
        ]
        values[name] = fvd(*features, protocol.ddof)
        if name == "reelbench":
            half = I3D.from_pretrained(dtype=torch.bfloat16)
            near = [
                np.concatenate([extract(half, prepare(torch.from_numpy(c)[None])).numpy() for c in side])
                for side in sides.values()
            ]
            yield (
                "bfloat16",
                "60 real clips a side",
                "relative change of FVD, KVD",
                f"{change(fvd(*near), values[name])}, {change(kernel_distance(*near), kernel_distance(*features))}",
            )
    for name, value in values.items():
        yield (
            "protocol",
            f"{name}, 60 clips a side",
            "FVD, against reelbench",
            (f"{value:.2f}, {value / values['reelbench'] - 1:+.1%}"),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    parser.add_argument("--noise", type=int, default=128)
    wanted = parser.parse_args()
    clips = clips_of(wanted.shared / "clips")
    console = Console(width=140)
    for rows in (
        decoding(wanted.shared),
        resizing(clips),
        network(wanted.shared, clips),
        protocols(wanted.shared),
        noise(wanted.noise),
    ):
        table = Table("step", "compared", "measure", "value")
        for row in rows:
            table.add_row(*row)
        console.print(table)


if __name__ == "__main__":
    main()
