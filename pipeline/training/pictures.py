"""What the networks of Make-A-Video learn from: clips in pixels and image embeddings of some of their frames, of the
toy world or of a folder of videos or images. Captions are read for the prior alone, which learns from images."""

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
    spec: Pixels, seed: int, space: JointSpace, fps: np.ndarray | float = FPS
) -> tuple[Pictures, Pictures | None]:
    """What is trained on, and of a folder what is not: in the toy world validations render scenes of their own.

    Raises:
        VideoError: if a folder's videos or images cannot be read, or are too short; named.
        ValueError: if nothing is left to train on.
    """
    if spec.own is None:
        return of_scenes(draw(spec.scenes, seed)[1], fps, spec, space), None
    whole, places = _read(spec.own), _places(spec.own.frames)
    image = torch.stack([_embedded(frames[list(places)], space) for frames, _ in whole])
    clips = _clips(whole, spec.size)
    return _parted(Pictures(clips.pixels, clips.fps, image, places), spec.own)


def clips(spec: Pixels, seed: int) -> tuple[Clips, Clips | None]:
    """`pictures` without embeddings."""
    if spec.own is None:
        _, scenes = draw(spec.scenes, seed)
        pixels = clips_of(scenes, spec.shading, spec.rendered, spec.size)
        return Clips(pixels, torch.full((len(scenes),), float(FPS))), None
    return _parted(_clips(_read(spec.own), spec.size), spec.own)


def captioned_images(images: ImageFolder, space: JointSpace) -> tuple[list[str], torch.Tensor]:
    """Captions of the images of a folder that have one, in the order of their names, and their embeddings (N, 1, d).

    Raises:
        CaptionError, VideoError: if captions or images cannot be read; named.
    """
    sources, path = find_images(Path(images.folder)), Path(images.captions)
    captions = matched(read_captions(path), sources, path)
    chosen = [source for source in sources if source.id in captions]
    read_in = (read_image(source.path)[None] for source in each(chosen, "reading", "images"))
    return [captions[source.id] for source in chosen], torch.stack([_embedded(image, space) for image in read_in])


def _parted(whole: Clips, own: OwnClips) -> tuple[Clips, Clips]:
    seen = len(whole.pixels) - own.unseen
    if seen < 1:
        said = f"of which {own.unseen} are kept for validation: none is left to train on"
        raise ValueError(f"own: {len(whole.pixels)} in {own.folder}, {said}")
    return whole[:seen], whole[seen:]


def _places(frames: int) -> tuple[int, ...]:
    """Four frames, or all of fewer, evenly spread."""
    return tuple(sorted({round(frame) for frame in np.linspace(0, frames - 1, min(frames, 4))}))


def _read(own: OwnClips) -> list[tuple[np.ndarray, float]]:
    """Frames (T, H, W, 3) uint8 of every video or image, in the order of their names, and frames a second."""
    folder = Path(own.folder)
    if own.frames == 1:
        return [(read_image(source.path)[None], FPS) for source in each(find_images(folder), "reading", "images")]
    return [_frames(source, own) for source in each(find(folder), "reading", "videos")]


def _frames(source: Source, own: OwnClips) -> tuple[np.ndarray, float]:
    rate = timing(source).rate / own.stride
    try:
        return read(source, ClipRule(own.frames, stride=own.stride)).clips[0], rate
    except Exception as error:  # whatever a decoder raises
        raise VideoError(f"{source.path}: {reason(error)}") from error


def _clips(whole: list[tuple[np.ndarray, float]], size: int) -> Clips:
    pixels = torch.stack([_square(frames, size) for frames, _ in whole])
    return Clips(pixels, torch.tensor([fps for _, fps in whole]).float())


def _square(frames: np.ndarray, size: int) -> torch.Tensor:
    """The middle square of frames (T, H, W, 3): uint8 (T, 3, size, size)."""
    return resize(torch.from_numpy(frames), size, Resize.CENTRE_BICUBIC).round().clamp(0, 255).byte()


def _embedded(frames: np.ndarray, space: JointSpace) -> torch.Tensor:
    return space.images(_square(frames, space.encoder.image_size).float() / 255)
