"""Clips, decoded once -> I3D and CLIP features and the judge's measurements, one row per clip.

Work is done in shards that are kept until the last one is there, so a run that is killed continues where it was.
"""

import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.numpy import load_file, save_file
from tqdm import tqdm

from metrics import i3d
from metrics.clip import DualEncoder
from pipeline import ledger
from pipeline.checkpoints import sha256
from pipeline.clips import SUFFIX, ClipError, read_clip
from pipeline.world.judge import Readings, judge
from pipeline.world.scene import FRAMES, HEIGHT, WIDTH

SHARD = 16  # clips decoded at once: 0.8 GB at 49 frames of 480 x 720
TENSORS, TABLE = "features.safetensors", "clips.csv"


@dataclass(frozen=True)
class Networks:
    """The feature networks, and the hashes of their weights by name (i3d, clip, text_tower)."""

    i3d: i3d.I3D
    clip: DualEncoder
    hashes: dict[str, str]

    @property
    def description(self) -> dict[str, str]:
        """What is written beside the features: the hashes, and what decoded the clips."""
        return {**self.hashes, "decoder": f"pyav {version('av')}"}


def extract(clips: Path, networks: Networks, batch: int, scratch: Path, folder: Path) -> None:
    """Write the features of a method's clips.

    `features.safetensors` holds i3d (N, 400), clip_frames (N, T, d), clip_text (N, d) of the N scored clips, in the
    order of the rows of `clips.csv` whose `scored` is true; its metadata is `Networks.description` and the method's
    number of parameters. `clips.csv` has a row for every requested clip: the ledger's columns, `frames`, `scored`,
    `fault` (why a generated clip could not be read) and, for clips of the world's size, the judge's readings.
    """
    entries = list(ledger.read(clips).values())
    if not entries:
        raise FileNotFoundError(f"{clips / ledger.FILE} not found or empty: run the generate stage")
    scratch = scratch / _identity(clips, entries, networks)
    scratch.mkdir(parents=True, exist_ok=True)
    shards = [entries[i : i + SHARD] for i in range(0, len(entries), SHARD)]
    with tqdm(total=len(entries), desc=folder.name, unit="clip", disable=None) as bar:
        for i, shard in enumerate(shards):
            if not (scratch / f"{i}.csv").exists():
                _extract_shard(clips, shard, networks, batch, scratch / f"{i}")
            bar.update(len(shard))
    folder.mkdir(parents=True, exist_ok=True)
    tables = [pd.read_csv(scratch / f"{i}.csv", keep_default_na=False, na_values=[""]) for i in range(len(shards))]
    pd.concat(tables).to_csv(folder / TABLE, index=False)
    parts = [load_file(scratch / f"{i}.safetensors") for i in range(len(shards))]
    scored = [part for part in parts if part]
    joined = {name: np.concatenate([part[name] for part in scored]) for name in (scored[0] if scored else {})}
    about = json.loads((clips / ledger.ABOUT).read_text())
    save_file(joined, folder / TENSORS, networks.description | {"parameters": str(about["parameters"])})
    shutil.rmtree(scratch)


def _extract_shard(clips: Path, entries: Sequence[ledger.Entry], networks: Networks, batch: int, stem: Path) -> None:
    decoded, rows = [], []
    for entry in entries:
        clip, fault = _decode(clips, entry)
        rows.append({**vars(entry), "scored": clip is not None, "fault": fault})
        if clip is not None:
            rows[-1]["frames"] = len(clip)
            decoded.append((clip, entry.caption, rows[-1]))
    tensors: dict[str, np.ndarray] = {}
    if decoded:
        stacked, captions, scored = (list(column) for column in zip(*decoded, strict=True))
        tensors = _features(stacked, captions, networks, batch)
        if stacked[0].shape[:3] == (FRAMES, HEIGHT, WIDTH):
            for row, measured in zip(scored, _readings(judge(np.stack(stacked))), strict=True):
                row |= measured
    save_file(tensors, stem.with_suffix(".safetensors"))
    aside = stem.with_suffix(".tmp")
    pd.DataFrame(rows).to_csv(aside, index=False)
    aside.replace(stem.with_suffix(".csv"))


def _decode(clips: Path, entry: ledger.Entry) -> tuple[np.ndarray | None, str]:
    """The clip, or None and why it cannot be read ("" where none was made)."""
    if entry.outcome != ledger.OK:
        return None, ""
    try:
        return read_clip(clips / f"{entry.clip}{SUFFIX}"), ""
    except ClipError as error:
        return None, str(error)


@torch.inference_mode()
def _features(clips: list[np.ndarray], captions: list[str], networks: Networks, batch: int) -> dict[str, np.ndarray]:
    logits, frames = [], []
    for i in range(0, len(clips), batch):
        part = [torch.from_numpy(clip) for clip in clips[i : i + batch]]
        logits.append(i3d.extract(networks.i3d, torch.cat([i3d.prepare(clip[None]) for clip in part])))
        frames += [networks.clip.frame_features(clip.movedim(-1, 1).float() / 255) for clip in part]
    return {
        "i3d": torch.cat(logits).numpy(),
        "clip_frames": torch.stack(frames).numpy(),
        "clip_text": networks.clip.text_features(captions).numpy(),
    }


def _readings(readings: Readings) -> list[dict[str, object]]:
    """One dictionary per clip: the judge's measurements and the nearest names."""
    rows = []
    for i, names in enumerate(readings.names()):
        row = {f.name: getattr(readings, f.name)[i] for f in fields(readings) if f.name != "velocity"}
        row |= {"velocity_x": readings.velocity[i, 0], "velocity_y": readings.velocity[i, 1]}
        rows.append(row | {f"named_{key}": value for key, value in vars(names).items()})
    return rows


def _identity(clips: Path, entries: Sequence[ledger.Entry], networks: Networks) -> str:
    """Names half-done work: of these networks and this code on exactly these files and captions."""
    files = [sha256(path) if (path := clips / f"{e.clip}{SUFFIX}").is_file() else e.outcome for e in entries]
    code = [sha256(Path(str(sys.modules[name].__file__))) for name in (__name__, judge.__module__, i3d.__name__)]
    content = [files, [entry.caption for entry in entries], networks.description, code]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def read_table(folder: Path) -> pd.DataFrame:
    """The table clips.csv; text columns are never NaN."""
    text = ["mixture", "variant", "prompt", "caption", "weights", "outcome", "fingerprint", "fault"]
    table = pd.read_csv(folder / TABLE, dtype=dict.fromkeys(text, str))
    return table.fillna(dict.fromkeys(text, ""))


def read_tensors(folder: Path) -> dict[str, np.ndarray]:
    """The arrays of features.safetensors."""
    return load_file(folder / TENSORS)


def readings_of(table: pd.DataFrame) -> Readings:
    """The judge's measurements of the rows of a table that `extract` wrote; rows that were not scored show nothing."""
    columns = {f.name: table[f.name].to_numpy(float) for f in fields(Readings) if f.name not in _CONVERTED}
    return Readings(
        **columns,
        velocity=table[["velocity_x", "velocity_y"]].to_numpy(float),
        objects=table["objects"].fillna(0).to_numpy(int),
        presence=table["presence"].fillna(0.0).to_numpy(float),
        steady=table["steady"].map(lambda value: str(value) == "True").to_numpy(bool),
    )


_CONVERTED = ("velocity", "objects", "presence", "steady")
