"""Finds videos in a folder and reads clips from them; the only module that decodes video.

Understood are video files, folders of frames, and arrays: `.npy`, `.npz` and `.safetensors` with one clip
(T, H, W, 3) or several (N, T, H, W, 3), also channels first; uint8, or float in [0, 1], which is rounded to 8 bits.
Clips are uint8 (T, H, W, 3). PyAV decodes, or torchcodec where it is installed and can be loaded.
"""

import functools
import hashlib
import logging
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import av
import numpy as np
from PIL import Image
from safetensors import safe_open

from metrics.protocol import ClipRule

log = logging.getLogger(__name__)

VIDEOS = (".mp4", ".m4v", ".webm", ".avi", ".mov", ".mkv", ".gif", ".mpg", ".mpeg")
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
ARRAYS = (".npy", ".npz", ".safetensors")


class VideoError(ValueError):
    """A video that cannot be read; the message says why and names no path: the source does."""


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


@dataclass(frozen=True)
class Video:
    """What was read: clips uint8 (W, T, H, W', 3) of W windows, how the file stores them, and what decoded it."""

    clips: np.ndarray
    codec: str
    decoder: str


def find(place: Path) -> list[Source]:
    """Every video below a folder (or the one that is given), in the order of their ids; hidden files are left out.

    Raises:
        VideoError: if the place does not exist or holds no video.
    """
    if not place.exists():
        raise VideoError(f"{_text(place)}: no such file or folder")
    if place.is_file():
        sources = list(_sources_of(place, _text(place.stem)))
    else:
        sources = [source for path in _walk(place) for source in _sources_of(path, _id(path, place))]
    if not sources:
        kinds = " ".join((*VIDEOS, *ARRAYS))
        raise VideoError(f"{_text(place)}: no video found (expected {kinds}, or folders of frames)")
    return sorted(_told_apart(sources), key=lambda source: _natural(source.id))


def _told_apart(sources: Sequence[Source]) -> list[Source]:
    """Sources whose ids are alike are named by their suffix too, and numbered if that is not enough."""
    for label in (lambda source, _: f"{source.id}{source.path.suffix}", lambda source, i: f"{source.id}~{i}"):
        counts = Counter(source.id for source in sources)
        sources = [replace(source, id=label(source, i)) if counts[source.id] > 1 else source
                   for i, source in enumerate(sources)]  # fmt: skip
    return list(sources)


def read(source: Source, rule: ClipRule, decoder: str | None = None) -> Video:
    """Read the clips that the rule takes; nothing after the last of their frames is decoded.

    Args:
        decoder: "pyav" or "torchcodec"; None takes the best that is there.

    Raises:
        VideoError: if the video is empty, damaged, too short for one clip, or changes its size.
    """
    try:
        return _read(source, rule, decoder or best_decoder())
    except Exception as error:  # decoders raise a dozen unrelated types for bytes that they do not understand
        raise VideoError(reason(error)) from error


def read_all(source: Source | Path) -> np.ndarray:
    """Every frame of a video as uint8 (T, H, W, 3).

    Raises:
        VideoError: naming the file, if it cannot be decoded, holds no frame, or changes its size.
    """
    source = source if isinstance(source, Source) else Source("", source)
    try:
        frames = _every_frame(source)
        if not len(frames):
            raise VideoError("holds no frame")
        return np.stack(frames)
    except Exception as error:  # as in `read`
        raise VideoError(f"{_text(source.path)}: {reason(error)}") from error


def reason(error: Exception) -> str:
    """Why a video cannot be read, from whatever was raised."""
    if isinstance(error, VideoError):
        return str(error)
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"cannot be decoded: {_text(text)}"


def _every_frame(source: Source) -> Sequence[np.ndarray]:
    if source.path.is_dir():
        return [_image(path) for path in _frames_of(source.path)]
    if source.path.suffix.lower() in ARRAYS:
        return _eight_bits(_channels_last(_array(source)))
    with _opened(source.path) as (container, stream):
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]


def source_hash(source: Source) -> str:
    """sha256 of what is stored: the file's bytes, the frames' names and bytes, or the array's name, number and file.

    Raises:
        VideoError: if it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        files = _frames_of(source.path) if source.path.is_dir() else [source.path]
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


@functools.cache
def best_decoder() -> str:
    """torchcodec where it is installed and its libraries load, else pyav."""
    if find_spec("torchcodec") is not None:
        try:
            import_module("torchcodec.decoders")
        except (ImportError, OSError, RuntimeError) as error:
            log.warning("torchcodec is installed but cannot be loaded, PyAV decodes: %s", str(error).split("\n")[0])
        else:
            return "torchcodec"
    return "pyav"


def decoder_version(decoder: str | None = None) -> str:
    """Name and version of a decoder, as fingerprints carry it.

    Raises:
        VideoError: if there is no such decoder here.
    """
    decoder = decoder or best_decoder()
    if decoder not in _DECODERS:
        raise VideoError(f"no decoder {decoder!r}, expected one of {', '.join(_DECODERS)}")
    try:
        return f"{decoder} {version({'pyav': 'av'}.get(decoder, decoder))}"
    except PackageNotFoundError:
        raise VideoError(f"the decoder {decoder} is not installed") from None


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
        shapes = _shapes(path)
    except Exception:  # reading it will say what is wrong
        yield Source(name, path)
        return
    clips = {member: shape for member, shape in shapes.items() if len(shape) in (4, 5)}
    for member, shape in (clips or shapes).items():  # what else a file holds says something of its clips
        label = f"{name}/{member.removesuffix('.npy')}" if len(clips) > 1 else name
        if len(shape) == 5:
            yield from (Source(f"{label}/{i:05d}", path, member, i) for i in range(shape[0]))
        else:
            yield Source(label, path, member)


def _id(path: Path, root: Path) -> str:
    relative = path.relative_to(root)
    named = relative if path.is_dir() else relative.with_suffix("")
    return _text(named.as_posix() if named != Path() else root.resolve().name)


def _text(path: Path | str) -> str:
    """Valid text of a name that may hold bytes that are not UTF-8."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Sorts frame 2 before frame 10."""
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", name) if part]


def _frames_of(folder: Path) -> list[Path]:
    found = [path for path in folder.iterdir() if path.suffix.lower() in IMAGES and not path.name.startswith(".")]
    return sorted(found, key=lambda path: _natural(_text(path.name)))


def _read(source: Source, rule: ClipRule, decoder: str) -> Video:
    if source.path.is_dir():
        return _read_frames(source.path, rule)
    if source.path.stat().st_size == 0:
        raise VideoError("the file is empty")
    if source.path.suffix.lower() in ARRAYS:
        return _read_array(source, rule)
    return _DECODERS[decoder](source.path, rule)


def _pack(frames: dict[int, np.ndarray], rule: ClipRule, length: int) -> np.ndarray:
    """Windows (W, T, H, W, 3) from frames by index; `length` is how many the video has, at least those wanted."""
    windows = rule.fitting(length)
    if not windows:
        wanted = f"{rule.frames} frames" + (f" with stride {rule.stride}" if rule.stride > 1 else "")
        wanted += f" from frame {rule.start}" if rule.start else ""
        raise VideoError(f"too short: {length} frames, expected {wanted}" if length else "holds no frame")
    sizes = {frame.shape for frame in frames.values()}
    if len(sizes) > 1:
        raise VideoError(f"frames change their size: {', '.join(f'{w}x{h}' for h, w, _ in sorted(sizes))}")
    packed = np.stack([frames[i] for window in range(windows) for i in rule.window(window)])
    return packed.reshape(windows, rule.frames, *packed.shape[1:])


def _wanted(rule: ClipRule) -> set[int]:
    return {i for window in range(rule.windows) for i in rule.window(window)}


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """A container and its best video stream, from an open file: neither a name nor metadata need be UTF-8."""
    with path.open("rb") as file, av.open(file, metadata_errors="ignore") as container:
        stream = container.streams.best("video")
        if stream is None:
            raise VideoError("holds no video stream")
        stream.codec_context.thread_count = 1  # workers share the cores
        yield container, stream


def _read_pyav(path: Path, rule: ClipRule) -> Video:
    wanted, frames, length = _wanted(rule), {}, 0
    last = max(wanted)
    with _opened(path) as (container, stream):
        codec = stream.codec_context.name
        try:
            for i, frame in enumerate(container.decode(stream)):
                length = i + 1
                if i in wanted:
                    frames[i] = frame.to_ndarray(format="rgb24")
                if i == last:
                    break
        except av.FFmpegError as error:
            raise VideoError(f"damaged after frame {length}: {error.strerror or error}") from error
    return Video(_pack(frames, rule, length), codec, decoder_version("pyav"))


def _read_torchcodec(path: Path, rule: ClipRule) -> Video:
    from torchcodec.decoders import VideoDecoder

    with path.open("rb") as file:
        decoder = VideoDecoder(file, dimension_order="NHWC", num_ffmpeg_threads=1)
        length = min(len(decoder), max(_wanted(rule)) + 1)
        indices = sorted(i for i in _wanted(rule) if i < length)
        decoded = decoder.get_frames_at(indices).data.numpy() if rule.fitting(length) else []
        return Video(_pack(dict(zip(indices, decoded, strict=False)), rule, length), str(decoder.metadata.codec),
                     decoder_version("torchcodec"))  # fmt: skip


_DECODERS: dict[str, Callable[[Path, ClipRule], Video]] = {"pyav": _read_pyav, "torchcodec": _read_torchcodec}


def _read_frames(folder: Path, rule: ClipRule) -> Video:
    files, wanted = _frames_of(folder), _wanted(rule)
    frames = {}
    for i, path in enumerate(files):
        if i in wanted:
            frames[i] = _image(path)
    kind = files[0].suffix.lower().lstrip(".")
    return Video(_pack(frames, rule, len(files)), f"frames {kind}", f"pillow {version('pillow')}")


def _image(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        if image.mode.startswith(("I", "F")):
            raise VideoError(f"{_text(path.name)} has pixels of mode {image.mode}, expected 8 bits a channel")
        return np.asarray(image.convert("RGB"))


def _read_array(source: Source, rule: ClipRule) -> Video:
    clip = _channels_last(_array(source))
    frames = {i: clip[i] for i in _wanted(rule) if i < len(clip)}
    packed = _pack(frames, rule, len(clip))
    return Video(_eight_bits(packed), source.path.suffix.lower().lstrip("."), f"numpy {np.__version__}")


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of the arrays in a file, by name, without reading them."""
    if path.suffix.lower() == ".safetensors":
        with safe_open(path, "np") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    if path.suffix.lower() == ".npy":
        with path.open("rb") as file:
            return {"": _header(file)[0]}
    with zipfile.ZipFile(path) as archive:
        shapes = {}
        for name in archive.namelist():
            with archive.open(name) as file:
                shapes[name] = _header(file)[0]
        return shapes


@functools.lru_cache(maxsize=2)
def _archived(path: Path, member: str, _changed: int) -> IO[bytes]:
    """A member of an archive, kept open: its arrays are unpacked once where they are read one after the other."""
    return zipfile.ZipFile(path).open(member)


def _array(source: Source) -> np.ndarray:
    """One clip of a file of arrays; of several along the first axis, the others are not read."""
    suffix = source.path.suffix.lower()
    if suffix == ".safetensors":
        with safe_open(source.path, "np") as file:
            part = file.get_slice(source.member)
            return part[:] if source.index is None else part[source.index]
    if suffix == ".npy":
        with source.path.open("rb") as file:
            return _stored(file, _header(file), file.tell(), source.index)
    with zipfile.ZipFile(source.path).open(source.member) as file:
        header, start = _header(file), file.tell()
    return _stored(_archived(source.path, source.member, source.path.stat().st_mtime_ns), header, start, source.index)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether in Fortran's order, and type of a stored array."""
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    return read_header[np.lib.format.read_magic(file)](file)


def _stored(
    file: IO[bytes], header: tuple[tuple[int, ...], bool, np.dtype], start: int, index: int | None
) -> np.ndarray:
    """An array of a file, or one along its first axis; its numbers begin at `start`."""
    shape, fortran, dtype = header
    if dtype.hasobject:
        raise VideoError("holds Python objects, expected numbers")
    if fortran and len(shape) > 1:
        raise VideoError("stored in Fortran's order, expected C's")
    own = shape if index is None else shape[1:]
    size = int(np.prod(own)) * dtype.itemsize
    file.seek(start + (index or 0) * size)
    return np.frombuffer(file.read(size), dtype).reshape(own)


def _channels_last(clip: np.ndarray) -> np.ndarray:
    if clip.ndim == 4 and 0 not in clip.shape[1:]:
        if clip.shape[-1] == 3:
            return clip
        if clip.shape[1] == 3:
            return clip.transpose(0, 2, 3, 1)
    raise VideoError(f"array of shape {clip.shape}, expected (T, H, W, 3) or (T, 3, H, W)")


def _eight_bits(clips: np.ndarray) -> np.ndarray:
    if clips.dtype == np.uint8:
        return clips
    if clips.dtype.kind != "f":
        raise VideoError(f"array of {clips.dtype}, expected uint8 or float in [0, 1]")
    if not (clips.min() >= 0 and clips.max() <= 1):  # also true of NaN
        raise VideoError(f"floats in [{clips.min():g}, {clips.max():g}], expected [0, 1]")
    return np.round(clips.astype(np.float64) * 255).astype(np.uint8)
