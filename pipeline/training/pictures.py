"""What the networks of Make-A-Video learn from: clips in pixels and image embeddings of some of their frames, of the
toy world or of a folder of videos or images. Captions are read for the prior alone, which learns from images."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from metrics.networks.resize import resize
from metrics.networks.rules import Resize
from metrics.progress import each
from metrics.reading.captions import read_captions
from metrics.reading.errors import VideoError
from metrics.reading.matching import matched
from metrics.reading.rule import ClipRule
from metrics.reading.sources import Source, find, find_images
from metrics.reading.video import read, read_image, reason, timing
from pipeline.config.cascade import OwnClips, Pixels
from pipeline.config.specs import ImageFolder
from pipeline.make_a_video.embedding import JointSpace
from pipeline.make_a_video.pyramid import EMBEDDED, clips_of, embeddings_of
from pipeline.world.rates import at_rates
from pipeline.world.scene import FPS, Scenes, draw


@dataclass(frozen=True)
class Clips:
    """uint8 (N, T, 3, h, w), and frames a second (N,)."""

    pixels: torch.Tensor
    fps: torch.Tensor

    def __getitem__(self, rows: slice) -> "Clips":
        return Clips(self.pixels[rows], self.fps[rows])


@dataclass(frozen=True)
class Pictures(Clips):
    """Clips with the embeddings (N, P, d) of P of their frames, which are `places`."""

    image: torch.Tensor
    places: tuple[int, ...]

    def __getitem__(self, rows: slice) -> "Pictures":
        return Pictures(self.pixels[rows], self.fps[rows], self.image[rows], self.places)

    def nearest(self, frame: torch.Tensor) -> torch.Tensor:
        """Which of the places are nearest to frames (B,), which may lie between two."""
        return (frame[:, None] - torch.tensor(self.places)).abs().argmin(dim=1)


def of_scenes(scenes: Scenes, fps: np.ndarray | float, spec: Pixels, space: JointSpace) -> Pictures:
    """Clips of the toy world at frame rates, (N,) or one for all."""
    rated, rates = at_rates(scenes, fps), torch.as_tensor(np.broadcast_to(fps, len(scenes)).copy()).float()
    pixels = clips_of(rated, spec.shading, spec.rendered, spec.size)
    return Pictures(pixels, rates, embeddings_of(rated, spec.shading, spec.rendered, space), EMBEDDED)


def pictures(
    spec: Pixels, seed: int, space: JointSpace, apart: int, fps: np.ndarray | float = FPS
) -> tuple[Pictures, Pictures | None]:
    """What is trained on, and of a folder what is not: in the toy world validations render scenes of their own.

    Args:
        apart: frames of a folder's clips from one embedding to the next, at most.

    Raises:
        VideoError: if a folder's videos or images cannot be read, or are too short; named.
        ValueError: if nothing is left to train on.
    """
    if spec.own is None:
        return of_scenes(draw(spec.scenes, seed)[1], fps, spec, space), None
    own, places, pixels, rates, image = spec.own, places_of(spec.own.frames, apart), [], [], []
    for source, frames, rate in _read(own):
        pixels.append(_learnt(source, frames, spec.size))
        image.append(_embedded(frames[list(places)], space))
        rates.append(rate)
    return _parted(Pictures(torch.stack(pixels), torch.tensor(rates), torch.stack(image), places), own)


def clips(spec: Pixels, seed: int) -> tuple[Clips, Clips | None]:
    """`pictures` without embeddings."""
    if spec.own is None:
        _, scenes = draw(spec.scenes, seed)
        pixels = clips_of(scenes, spec.shading, spec.rendered, spec.size)
        return Clips(pixels, torch.full((len(scenes),), float(FPS))), None
    pixels, rates = [], []
    for source, frames, rate in _read(spec.own):
        pixels.append(_learnt(source, frames, spec.size))
        rates.append(rate)
    return _parted(Clips(torch.stack(pixels), torch.tensor(rates)), spec.own)


def captioned_images(images: ImageFolder, space: JointSpace) -> tuple[list[str], torch.Tensor]:
    """Captions of the images of a folder that have one, in the order of their names, and their embeddings (N, 1, d).

    Raises:
        CaptionError, VideoError: if captions or images cannot be read; named.
    """
    sources, path = find_images(Path(images.folder)), Path(images.captions)
    captions = matched(read_captions(path), sources, path)
    chosen = [source for source in sources if source.id in captions]
    image = [_embedded(read_image(source.path)[None], space) for source in each(chosen, "reading", "images")]
    return [captions[source.id] for source in chosen], torch.stack(image)


def _parted(whole: Clips, own: OwnClips) -> tuple[Clips, Clips]:
    seen = len(whole.pixels) - own.unseen
    if seen < 1:
        said = f"of which {own.unseen} are kept for validation: none is left to train on"
        raise ValueError(f"own: {len(whole.pixels)} in {own.folder}, {said}")
    return whole[:seen], whole[seen:]


def places_of(frames: int, apart: int) -> tuple[int, ...]:
    """Frames so far apart, or a little less, evenly spread from the first to the last."""
    number = -(-(frames - 1) // max(apart, 1)) + 1
    return tuple(sorted({round(frame) for frame in np.linspace(0, frames - 1, number)}))


def _read(own: OwnClips) -> Iterator[tuple[Source, np.ndarray, float]]:
    """Frames (T, H, W, 3) uint8 of every video or image, in the order of their names, and frames a second; one after
    the other, because at their own size few fit into memory."""
    folder = Path(own.folder)
    if own.frames == 1:
        for source in each(find_images(folder), "reading", "images"):
            yield source, read_image(source.path)[None], float(FPS)
        return
    rates = {source: timing(source).rate / own.stride for source in find(folder)}  # headers, before any is decoded
    for source, rate in each(rates.items(), "reading", "videos"):
        yield source, _frames(source, own), rate


def _frames(source: Source, own: OwnClips) -> np.ndarray:
    try:
        return read(source, ClipRule(own.frames, stride=own.stride)).clips[0]
    except Exception as error:  # whatever a decoder raises
        raise VideoError(f"{source.path}: {reason(error)}") from error


def _learnt(source: Source, frames: np.ndarray, size: int) -> torch.Tensor:
    """`_square` of what is learnt.

    Raises:
        VideoError: naming what is smaller: enlarged, it would be a blurred truth.
    """
    height, width = frames.shape[1:3]
    if min(height, width) < size:
        raise VideoError(f"{source.path}: {width}x{height} pixels, expected at least {size} on the short side")
    return _square(frames, size)


def _square(frames: np.ndarray, size: int) -> torch.Tensor:
    """The middle square of frames (T, H, W, 3): uint8 (T, 3, size, size)."""
    return resize(torch.from_numpy(frames), size, Resize.CENTRE_BICUBIC).round().clamp(0, 255).byte()


def _embedded(frames: np.ndarray, space: JointSpace) -> torch.Tensor:
    return space.images(_square(frames, space.encoder.image_size).float() / 255)
