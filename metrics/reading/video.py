"""Reads clips from videos; the only module that decodes.

Understood is what `sources` finds; arrays are uint8, or float in [0, 1], which is rounded to 8 bits. Clips are uint8
(T, H, W, 3), upright and opaque (see `pixels`). PyAV decodes, or torchcodec where it is installed and can be loaded.
"""

import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from metrics.reading import pixels
from metrics.reading.arrays import channels_last, eight_bits, read_array
from metrics.reading.errors import VideoError, readable
from metrics.reading.rule import ClipRule
from metrics.reading.sources import ARRAYS, Source, frames_of
from metrics.reading.times import shown_at
from metrics.versions import version

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Video:
    """What was read: clips uint8 (W, T, H, W', 3) of W windows, how the file stores them, and what decoded it."""

    clips: np.ndarray
    codec: str
    decoder: str

    @property
    def size(self) -> str:
        """Width and height of the frames, "1280x720"."""
        return f"{self.clips.shape[3]}x{self.clips.shape[2]}"


@dataclass(frozen=True)
class Timing:
    """Frames a second of a video file, on average, and its length in seconds."""

    rate: float
    seconds: float


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
        raise VideoError(f"{readable(source.path)}: {reason(error)}") from error


def read_image(path: Path) -> np.ndarray:
    """An image as uint8 (H, W, 3).

    Raises:
        VideoError: naming the file, if it cannot be read or has more than 8 bits a channel.
    """
    try:
        return np.array(_image(path))  # PIL's own memory is read-only
    except Exception as error:  # as in `read`
        raise VideoError(f"{readable(path)}: {reason(error)}") from error


def timing(source: Source) -> Timing:
    """How a video file runs, by its header: nothing is decoded.

    Raises:
        VideoError: naming the file, if it has no frame rate or no length, as folders of frames and arrays.
    """
    try:
        return _timing(source.path)
    except Exception as error:  # as in `read`
        raise VideoError(f"{readable(source.path)}: {reason(error)}") from error


def read_at(source: Source, times: Sequence[float]) -> np.ndarray:
    """The frames that a video file shows at these times, uint8 (T, H, W, 3); the same one again where it still stands.

    Each begins half an average frame early, so that the nearest is taken where they are evenly spaced, and times that
    a container rounds (Matroska to milliseconds) do no harm.

    Args:
        times: in seconds from the first frame, ascending.

    Raises:
        VideoError: naming the file, if it cannot be decoded, ends before, or changes its size.
    """
    try:
        slack = 0.5 / _timing(source.path).rate
        with _opened(source.path) as (container, stream):
            shown = dict(enumerate(shown_at(container.decode(stream), times, slack)))
        return _pack(shown, ClipRule(len(times)), len(shown))[0]
    except Exception as error:  # as in `read`
        raise VideoError(f"{readable(source.path)}: {reason(error)}") from error


def _timing(path: Path) -> Timing:
    if path.is_dir() or path.suffix.lower() in ARRAYS:
        raise VideoError("has no frame rate of its own, expected a video file")
    with _opened(path) as (container, stream):
        ends = stream.duration * stream.time_base if stream.duration else (container.duration or 0) / av.time_base
        if not stream.average_rate or ends <= 0:
            raise VideoError("its header says no frame rate or no length")
        return Timing(float(stream.average_rate), float(ends))


def reason(error: Exception) -> str:
    """Why a video cannot be read, from whatever was raised."""
    if isinstance(error, VideoError):
        return str(error)
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"cannot be decoded: {readable(text)}"


def _every_frame(source: Source) -> Sequence[np.ndarray]:
    if source.path.is_dir():
        return [_image(path) for path in frames_of(source.path)]
    if source.path.suffix.lower() in ARRAYS:
        return eight_bits(channels_last(_array(source)))
    with _opened(source.path) as (container, stream):
        return [pixels.of_frame(frame) for frame in container.decode(stream)]


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
    """Name and version of a decoder and of the FFmpeg behind it, and how pixels are shown, as fingerprints carry it.

    Raises:
        VideoError: if there is no such decoder here.
    """
    decoder = decoder or best_decoder()
    if decoder not in _DECODERS:
        raise VideoError(f"no decoder {decoder!r}, expected one of {', '.join(_DECODERS)}")
    try:
        number = version({"pyav": "av"}.get(decoder, decoder))
    except PackageNotFoundError:
        raise VideoError(f"the decoder {decoder} is not installed") from None
    return f"{decoder} {number}, {_ffmpeg(decoder)}, {pixels.RULE}"


def _ffmpeg(decoder: str) -> str:
    """The FFmpeg that a decoder runs: PyAV brings its own, torchcodec takes the system's."""
    if decoder == "pyav":
        return f"libavcodec {'.'.join(map(str, av.library_versions['libavcodec']))}"
    return f"FFmpeg {getattr(import_module('torchcodec'), 'ffmpeg_major_version', 'of unknown version')}"


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
        stream.codec_context.thread_count = 1  # workers share the cores; so too where frames become RGB
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
                    frames[i] = pixels.of_frame(frame)
                if i == last:
                    break
        except av.FFmpegError as error:
            raise VideoError(f"damaged after frame {length}: {error.strerror or error}") from error
    return Video(_pack(frames, rule, length), codec, decoder_version("pyav"))


def _plain(path: Path) -> bool:
    """Whether the first frame is shown as it is stored, and of a format without alpha."""
    with _opened(path) as (container, stream):
        first = next(container.decode(stream), None)
        return first is None or not (pixels.has_alpha(first) or pixels.display_matrix(first) is not None)


def _read_torchcodec(path: Path, rule: ClipRule) -> Video:
    from torchcodec.decoders import VideoDecoder

    if not _plain(path):  # it turns by angles alone, from 0.11 on, and leaves alpha out
        return _read_pyav(path, rule)
    with path.open("rb") as file:
        decoder = VideoDecoder(file, dimension_order="NHWC", num_ffmpeg_threads=1)
        length = min(len(decoder), max(_wanted(rule)) + 1)
        indices = sorted(i for i in _wanted(rule) if i < length)
        decoded = decoder.get_frames_at(indices).data.numpy() if rule.fitting(length) else []
    clips = _pack(dict(zip(indices, decoded, strict=False)), rule, length)
    return Video(clips, str(decoder.metadata.codec), decoder_version("torchcodec"))


_DECODERS: dict[str, Callable[[Path, ClipRule], Video]] = {"pyav": _read_pyav, "torchcodec": _read_torchcodec}


def _read_frames(folder: Path, rule: ClipRule) -> Video:
    files, wanted = frames_of(folder), _wanted(rule)
    frames = {}
    for i, path in enumerate(files):
        if i in wanted:
            frames[i] = _image(path)
    kind = files[0].suffix.lower().lstrip(".")
    return Video(_pack(frames, rule, len(files)), f"frames {kind}", f"pillow {version('pillow')}, {pixels.RULE}")


def _image(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        if image.mode.startswith(("I", "F")):
            raise VideoError(f"{readable(path.name)} has pixels of mode {image.mode}, expected 8 bits a channel")
        return pixels.of_image(image)


def _read_array(source: Source, rule: ClipRule) -> Video:
    clip = channels_last(_array(source))
    frames = {i: clip[i] for i in _wanted(rule) if i < len(clip)}
    packed = _pack(frames, rule, len(clip))
    return Video(eight_bits(packed), source.path.suffix.lower().lstrip("."), f"numpy {np.__version__}")


def _array(source: Source) -> np.ndarray:
    return read_array(source.path, source.member, source.index)
