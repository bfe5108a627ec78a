"""Finds the videos below a folder, files, folders of frames, and clips in files of arrays; and single images."""

import functools
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from metrics.reading.arrays import shapes
from metrics.reading.errors import VideoError, readable

VIDEOS = (".mp4", ".m4v", ".webm", ".avi", ".mov", ".mkv", ".gif", ".mpg", ".mpeg")
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
ARRAYS = (".npy", ".npz", ".safetensors")


@dataclass(frozen=True)
class Source:
    """One video: a file, a folder of frames, or a clip in a file of arrays.

    id: path below the searched folder without its suffix, then the array's name and number where there are several;
    always valid text. stem: what captions are matched by.
    """

    id: str
    path: Path
    member: str = ""
    index: int | None = None

    @property
    def stem(self) -> str:
        """The last part of the id."""
        return self.id.rsplit("/", 1)[-1]


def find(place: Path) -> list[Source]:
    """Every video below a folder (or the one that is given), in the order of their ids; hidden files are left out.

    Raises:
        VideoError: if the place does not exist or holds no video.
    """
    if not place.exists():
        raise VideoError(f"{readable(place)}: no such file or folder")
    if place.is_file():
        sources = list(_sources_of(place, readable(place.stem)))
    else:
        sources = [source for path in _walk(place) for source in _sources_of(path, _id(path, place))]
    if not sources:
        kinds = " ".join((*VIDEOS, *ARRAYS))
        raise VideoError(f"{readable(place)}: no video found (expected {kinds}, or folders of frames)")
    return sorted(_told_apart(sources), key=lambda source: _natural(source.id))


def find_images(folder: Path) -> list[Source]:
    """Every image below a folder, in the order of their ids; hidden files are left out.

    Raises:
        VideoError: if there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise VideoError(f"{readable(folder)}: no such folder")
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix.lower() in IMAGES)
    seen = (path for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts))
    if not (sources := [Source(_id(path, folder), path) for path in seen]):
        raise VideoError(f"{readable(folder)}: no image found (expected {' '.join(IMAGES)})")
    return sorted(_told_apart(sources), key=lambda source: _natural(source.id))


def _told_apart(sources: Sequence[Source]) -> list[Source]:
    """Sources whose ids are alike are named by their suffix too, and numbered if that is not enough."""
    for label in (lambda source, _: f"{source.id}{source.path.suffix}", lambda source, i: f"{source.id}~{i}"):
        counts = Counter(source.id for source in sources)
        labels = [label(source, i) if counts[source.id] > 1 else source.id for i, source in enumerate(sources)]
        sources = [replace(source, id=name) for source, name in zip(sources, labels, strict=True)]
    return list(sources)


def source_hash(source: Source) -> str:
    """sha256 of what is stored: the file's bytes, the frames' names and bytes, or the array's name, number and file.

    Raises:
        VideoError: if it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        files = frames_of(source.path) if source.path.is_dir() else [source.path]
        for path in files:
            digest.update(path.name.encode("utf-8", "surrogateescape") if source.path.is_dir() else b"")
            digest.update(bytes.fromhex(_file_hash(path, path.stat().st_mtime_ns)))
    except OSError as error:
        raise VideoError(f"cannot be read: {error.strerror}") from error
    digest.update(f"{source.member}#{source.index}".encode())
    return digest.hexdigest()


@functools.lru_cache(maxsize=8)  # a file of many arrays is hashed once, not once for each
def _file_hash(path: Path, _changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _walk(folder: Path) -> Iterator[Path]:
    """Files that may hold videos, and folders that hold frames: images beside videos are thumbnails."""
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    files = [path for path in entries if path.is_file() and path.suffix.lower() in (*VIDEOS, *ARRAYS)]
    if not files and any(path.suffix.lower() in IMAGES for path in entries if path.is_file()):
        yield folder
    yield from files
    for path in entries:
        if path.is_dir():
            yield from _walk(path)


def _sources_of(path: Path, name: str) -> Iterator[Source]:
    if path.is_dir() or path.suffix.lower() in VIDEOS:
        yield Source(name, path)
        return
    try:
        stored = shapes(path)
    except Exception:  # reading it will say what is wrong
        yield Source(name, path)
        return
    clips = {member: shape for member, shape in stored.items() if len(shape) in (4, 5)}
    for member, shape in (clips or stored).items():  # what else a file holds says something of its clips
        label = f"{name}/{member.removesuffix('.npy')}" if len(clips) > 1 else name
        if len(shape) == 5:
            yield from (Source(f"{label}/{i:05d}", path, member, i) for i in range(shape[0]))
        else:
            yield Source(label, path, member)


def _id(path: Path, root: Path) -> str:
    relative = path.relative_to(root)
    named = relative if path.is_dir() else relative.with_suffix("")
    return readable(named.as_posix() if named != Path() else root.resolve().name)


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Sorts frame 2 before frame 10."""
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", name) if part]


def frames_of(folder: Path) -> list[Path]:
    """The images of a folder of frames, in natural order."""
    images = [path for path in folder.iterdir() if path.suffix.lower() in IMAGES and not path.name.startswith(".")]
    return sorted(images, key=lambda path: _natural(readable(path.name)))
