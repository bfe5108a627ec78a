"""Clips that a browser can play, alike in all but what they show: one size, one frame rate, no metadata, and names that
are digests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from PIL import Image

from metrics.hashing import fingerprint
from metrics.progress import each
from metrics.reading.errors import VideoError
from metrics.reading.rule import ClipRule
from metrics.reading.video import read, read_all
from pipeline.study.clips import Clip, Material
from pipeline.study.design import BROKEN, Study, StudyError
from pipeline.study.encoding import write_for_browsers

SMALLEST = 256  # pixels of the shorter side
TILES = 32  # a broken clip is cut in so many tiles a side, at most
_CODE = 1  # raised when the same clip would give other files


@dataclass(frozen=True)
class Screen:
    """What all clips of a study are shown as: width and height in pixels, frames/s, and whether single pixels are
    enlarged, so that a browser must not blur them."""

    width: int
    height: int
    fps: float
    pixelated: bool


def screen(material: Material) -> Screen:
    """The largest width and height and the highest frame rate of the clips; small ones are enlarged by a whole factor,
    so that the shorter side has at least SMALLEST pixels.

    Raises:
        StudyError: naming the method and the clip, if one cannot be read.
    """
    sizes, rates = [], []
    for (item, method), clip in material.clips.items():
        try:
            sizes.append(read(clip.source, ClipRule(frames=1)).clips.shape[2:4])
            rates.append(clip.rate)
        except VideoError as error:
            raise StudyError(f"clips: {item} of {method}: {error}") from None
    height, width = (max(size) for size in zip(*sizes, strict=True))
    factor = ceil(SMALLEST / min(height, width))
    return Screen(_even(width * factor), _even(height * factor), max(rates), factor > 1)


def prepare(study: Study, material: Material, to: Screen, folder: Path) -> dict[tuple[str, str], str]:
    """Write what is not there yet, and name the file of each (id of the item, method); BROKEN is a method where the
    study has obvious checks, and stands for the first method's clip."""
    clips = {key: (clip, False) for key, clip in material.clips.items()}
    if study.checks.obvious:
        clips |= {(item.id, BROKEN): (material.clips[item.id, study.methods[0]], True) for item in material.items}
    files = {key: _file(clip, broken, to) for key, (clip, broken) in clips.items()}
    missing = [key for key, file in files.items() if not (folder / file).is_file()]
    for key in each(missing, "clips for browsers", "clips", keep=False) if missing else ():
        _write(folder / files[key], *clips[key], to)
    return files


def _file(clip: Clip, broken: bool, to: Screen) -> str:
    return f"{fingerprint([clip.content, clip.rate, broken, to.width, to.height, to.fps, _CODE])}.mp4"


def _write(path: Path, clip: Clip, broken: bool, to: Screen) -> None:
    frames = retimed(read_all(clip.source), clip.rate, to.fps)
    if broken:
        frames = shuffled(frames, int(clip.content[:8], 16))
    write_for_browsers(path, np.stack([fitted(frame, to.height, to.width) for frame in frames]), to.fps)


def retimed(frames: np.ndarray, rate: float, wanted: float) -> np.ndarray:
    """A clip (T, H, W, 3) of `rate` frames/s at `wanted` frames/s: each moment shows the frame that stood there."""
    count = max(1, round(len(frames) * wanted / rate))
    at = np.minimum((np.arange(count) * rate / wanted + 1e-6).astype(int), len(frames) - 1)
    return frames[at]


def shuffled(frames: np.ndarray, seed: int) -> np.ndarray:
    """A clip (T, H, W, 3) whose frames are cut into up to TILES x TILES tiles that are shuffled, each frame anew: its
    colours, and nothing to recognise."""
    random = np.random.default_rng(seed)
    high, wide = (max(1, side // TILES) for side in frames.shape[1:3])
    rows, columns = frames.shape[1] // high, frames.shape[2] // wide
    cut = frames[:, : rows * high, : columns * wide]
    tiles = (
        cut.reshape(len(frames), rows, high, columns, wide, 3).swapaxes(2, 3).reshape(len(frames), -1, high, wide, 3)
    )
    mixed = np.stack([random.permutation(of_frame) for of_frame in tiles])
    return mixed.reshape(len(frames), rows, columns, high, wide, 3).swapaxes(2, 3).reshape(cut.shape)


def fitted(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """A frame (H, W, 3) in the middle of a black one of that size, as large as fits: by a whole factor with nearest
    neighbours where that fills a side, else smoothly."""
    scale = min(height / frame.shape[0], width / frame.shape[1])
    if abs(scale - round(scale)) < 0.02 and round(scale) >= 1:
        large = frame.repeat(round(scale), 0).repeat(round(scale), 1)[:height, :width]
    else:
        size = (max(1, int(frame.shape[1] * scale)), max(1, int(frame.shape[0] * scale)))
        large = np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS))
    whole = np.zeros((height, width, 3), np.uint8)
    top, left = (height - large.shape[0]) // 2, (width - large.shape[1]) // 2
    whole[top : top + large.shape[0], left : left + large.shape[1]] = large
    return whole


def _even(side: int) -> int:
    return side + side % 2


def files_of(files: Mapping[tuple[str, str], str], item: str, shown: Sequence[str]) -> list[str]:
    """The files that a trial shows, from left to right."""
    return [files[item, method] for method in shown]
