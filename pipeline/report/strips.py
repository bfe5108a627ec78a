"""Clips as small animated pictures that play in any browser without a script."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from metrics.reading.video import read_all

LOSSLESS_SIDE, MAX_SIDE = 256, 360  # pixels: larger clips are stored lossily, and scaled down to the second
FOLDER = Path("assets/clips")  # of the report
_MAGNIFIED = 8  # screen pixels of one of a slice


@dataclass(frozen=True)
class Shot:
    """One clip of a card. source: its video file; where there is none, the report says "failed"."""

    label: str
    method: str
    source: Path
    fps: int
    optimal: bool = False

    @property
    def made(self) -> bool:
        """Whether the clip exists."""
        return self.source.is_file()

    @property
    def picture(self) -> str:
        """Path of its picture in the report."""
        return (FOLDER / f"{self.method}-{self.source.stem}.webp").as_posix()

    def write(self, path: Path) -> None:
        """Write its picture."""
        write_picture(read_all(self.source), path, self.fps)


@dataclass(frozen=True)
class Slice(Shot):
    """A clip as one still picture: a line of its pixels, one frame below the other. across: a row, which shows motion
    to the left and right; else a column. line: which."""

    across: bool = True
    line: int = 0

    @property
    def picture(self) -> str:
        return (FOLDER / f"{self.method}-{self.source.stem}-slice.webp").as_posix()

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = time_slice(read_all(self.source), self.across, self.line)
        size = (lines.shape[1] * _MAGNIFIED, lines.shape[0] * _MAGNIFIED)
        Image.fromarray(lines).resize(size, Image.Resampling.NEAREST).save(path, lossless=True)


def time_slice(clip: np.ndarray, across: bool, line: int) -> np.ndarray:
    """A line of a clip's pixels over time, uint8 (T, W, 3) or (T, H, 3), the first frame at the top.

    Args:
        clip: uint8 (T, H, W, 3). across: whether the line is a row; else a column. line: which.
    """
    return np.ascontiguousarray(clip[:, line] if across else clip[:, :, line])


def changing_line(clip: np.ndarray, across: bool) -> int:
    """The row, or column, of pixels that changes most over a clip, uint8 (T, H, W, 3)."""
    lines = clip if across else clip.swapaxes(1, 2)
    return int(lines.astype(float).var(axis=0).sum(axis=(1, 2)).argmax())


@dataclass(frozen=True)
class Card:
    """Clips side by side. facts: lines of text below them. plot: name of a plot of the page, or ""."""

    title: str
    shots: Sequence[Shot]
    parts: Sequence[tuple[str, str]] = ()
    facts: Sequence[str] = ()
    plot: str = ""


def write_pictures(cards: Sequence[Card], report: Path) -> None:
    """Write the picture of every clip that exists, once."""
    shots = {shot.picture: shot for card in cards for shot in card.shots if shot.made}
    for name, shot in shots.items():
        if not (report / name).exists():
            shot.write(report / name)


def write_picture(clip: np.ndarray, path: Path, fps: int) -> None:
    """Write a uint8 clip (T, H, W, 3) as an endless animated WebP."""
    path.parent.mkdir(parents=True, exist_ok=True)
    side = max(clip.shape[1:3])
    images = [Image.fromarray(frame) for frame in clip]
    if side > MAX_SIDE:
        size = (clip.shape[2] * MAX_SIDE // side, clip.shape[1] * MAX_SIDE // side)
        images = [image.resize(size, Image.Resampling.LANCZOS) for image in images]
    images[0].save(
        path,
        save_all=True,
        append_images=images[1:],
        duration=round(1000 / fps),
        loop=0,
        lossless=side <= LOSSLESS_SIDE,
        quality=80,
        minimize_size=False,
    )
