"""Folders of small videos with captions, and studies over them as files."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pipeline.clips.files import write_clip
from tests.pipeline.study.small import METHODS, wanted


def write_study(
    folder: Path, design: str, methods: int = 2, prompts: int = 6, names: Sequence[str] = METHODS, **changes: Any
) -> Path:
    """A study over folders of videos, one a method; its file."""
    names = names[:methods]
    for place, name in enumerate(names):
        write_videos(folder / name, prompts, seed=place)
    write_captions(folder / "captions.csv", prompts)
    folders = {name: {"clips": name, "captions": "captions.csv"} for name in names}
    clips: dict[str, Any] = {"folders": folders}
    if design == "mixture":
        clips["parts"] = "parts.csv"
        write_parts(folder / "parts.csv", prompts)
    values = wanted(design, methods, **{"clips": clips} | changes)
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path


def write_videos(folder: Path, count: int, size: int = 16, frames: int = 4, fps: int = 8, seed: int = 0) -> None:
    """Lossless videos: a bright square that moves over a ground of the method's own grey."""
    for number in range(count):
        clip = np.full((frames, size, size, 3), 40 + 30 * seed, np.uint8)
        for time in range(frames):
            clip[time, number % (size - 4) :, 2 * time : 2 * time + 4] = (200, 40 * (number % 6), 60)
        write_clip(folder / f"clip-{number:03d}.mkv", clip, fps)


def write_captions(path: Path, count: int) -> None:
    """A caption for each video, among them signs that a page must escape."""
    rows = [(f"clip-{number:03d}", f"A square <{number}> & its ground") for number in range(count)]
    _write(path, [("clip", "caption"), *rows])


def write_parts(path: Path, count: int) -> None:
    """Two parts for each video."""
    rows = [(f"clip-{number:03d}", f"a square {number}", "a ground") for number in range(count)]
    _write(path, [("clip", "a", "b"), *rows])


def _write(path: Path, rows: list[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
