"""Clips, decoded once -> I3D and CLIP features and the judge's measurements, one row per clip.

Work is done in shards that are kept until the last one is there, so a run that is killed continues where it was.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, fields
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

SHARD = 64
TENSORS, TABLE = "features.safetensors", "clips.csv"


@dataclass(frozen=True)
class Networks:
    """The feature networks, and the hashes of their weights by name."""

    i3d: i3d.I3D
    clip: DualEncoder
    hashes: dict[str, str]


def extract(clips: Path, networks: Networks, batch: int, scratch: Path, folder: Path) -> None:
    """Write the features of a method's clips.

    `features.safetensors` holds i3d (N, 400), clip_frames (N, T, d), clip_text (N, d) of the N scored clips, in the
    order of the rows of `clips.csv` whose `scored` is true; `clips.csv` has a row for every requested clip: the
    ledger's columns, `frames`, `scored`, and the judge's readings.
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
    save_file(joined, folder / TENSORS, networks.hashes)
    shutil.rmtree(scratch)


def _extract_shard(clips: Path, entries: Sequence[ledger.Entry], networks: Networks, batch: int, stem: Path) -> None:
    decoded = [_decode(clips, entry) for entry in entries]
    readable = [i for i, clip in enumerate(decoded) if isinstance(clip, np.ndarray)]
    rows = [
        {**vars(entry), "outcome": clip if isinstance(clip, str) else entry.outcome, "scored": i in readable}
        for i, (entry, clip) in enumerate(zip(entries, decoded, strict=True))
    ]
    tensors: dict[str, np.ndarray] = {}
    if readable:
        stacked = np.stack([decoded[i] for i in readable])
        captions = [entries[i].caption for i in readable]
        tensors = _features(stacked, captions, networks, batch)
        for i, measured in zip(readable, _readings(judge(stacked)), strict=True):
            rows[i] |= {"frames": stacked.shape[1], **measured}
    save_file(tensors, stem.with_suffix(".safetensors"))
    aside = stem.with_suffix(".tmp")
    pd.DataFrame(rows).to_csv(aside, index=False)
    aside.replace(stem.with_suffix(".csv"))


def _decode(clips: Path, entry: ledger.Entry) -> np.ndarray | str:
    """The clip, or why there is none."""
    if entry.outcome != ledger.OK:
        return entry.outcome
    try:
        return read_clip(clips / f"{entry.clip}{SUFFIX}")
    except ClipError as error:
        return str(error)


@torch.inference_mode()
def _features(clips: np.ndarray, captions: list[str], networks: Networks, batch: int) -> dict[str, np.ndarray]:
    logits, frames = [], []
    for i in range(0, len(clips), batch):
        part = torch.from_numpy(clips[i : i + batch])
        logits.append(i3d.extract(networks.i3d, part))
        flat = networks.clip.frame_features(part.flatten(0, 1).movedim(-1, 1).float() / 255)
        frames.append(flat.unflatten(0, part.shape[:2]))
    return {
        "i3d": torch.cat(logits).numpy(),
        "clip_frames": torch.cat(frames).numpy(),
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
    """Names half-done work: of these networks on exactly these files."""
    files = [sha256(path) if (path := clips / f"{e.clip}{SUFFIX}").is_file() else e.outcome for e in entries]
    return hashlib.sha256(json.dumps([files, networks.hashes]).encode()).hexdigest()[:16]


def read_table(folder: Path) -> pd.DataFrame:
    """The table clips.csv; text columns are never NaN."""
    text = ["mixture", "variant", "prompt", "caption", "weights", "outcome", "fingerprint"]
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
