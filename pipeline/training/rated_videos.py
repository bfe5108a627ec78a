"""ETC's triple data from folders: captioned videos with frame rates of their own, captioned and labelled images.

Eq. 6 of the paper prints V^{(60/t) FPS} for frame t of a clip, of sources with 60 frames a second. Taken literally it
divides by zero at t = 0, and a greater FPS would take frames farther apart. Read here as frame 60 t / FPS of such a
source, which is what it shows t / FPS seconds after its beginning; so it holds for sources of any rate.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from metrics.progress import each
from metrics.reading.captions import read_captions
from metrics.reading.errors import VideoError
from metrics.reading.matching import matched
from metrics.reading.sources import Source, find_images
from metrics.reading.video import Timing, read_at, read_image, timing
from pipeline.codec.loading import Codec
from pipeline.config.specs import EtcSpec, ImageFolder, TripleShares
from pipeline.etc.fps import VIDEO_FPS
from pipeline.training.denoising import Timesteps
from pipeline.training.latents import CaptionedLatents, CaptionEncoder
from pipeline.training.triple import Stills, TripleSource
from pipeline.training.videos import captioned, encoded, parted

_NEARLY = 1.01  # 29.97 frames a second are 30


class Rated(NamedTuple):
    """A video and the frames a second that are taken of it."""

    source: Source
    rate: int


def sources_of(
    spec: EtcSpec, codec: Codec, encoder: CaptionEncoder, seed: int, timesteps: Timesteps, device: torch.device | str
) -> tuple[TripleSource, TripleSource]:
    """What is trained on, and the videos that are kept from training. Everything is found, and the headers of all
    videos are read, before anything is encoded.

    Raises:
        CaptionError, VideoError: if captions, videos or images cannot be read, or a video is too short; named.
        ValueError: if no captioned video is left to train on, or a label has no image.
    """
    videos = spec.videos
    chosen, texts = captioned(videos)
    rated = at_drawn_rates(chosen, videos.frames, seed)
    images = _captioned_images(spec.images) if spec.images else None
    labelled = _labelled_images(Path(spec.labels)) if spec.labels else None
    times = np.arange(videos.frames)
    latents = torch.cat(
        [
            encoded(read_at(one.source, (times / one.rate).tolist()), videos.size, codec, device)
            for one in each(rated, "encoding", "videos")
        ]
    )
    captions, labels = (
        _stills(pairs, videos.size, codec, encoder, device) if pairs else None for pairs in (images, labelled)
    )
    rates = torch.tensor([one.rate for one in rated])
    seen, unseen = (
        (CaptionedLatents(latents[part], texts[part], encoder), rates[part]) for part in parted(len(chosen), videos)
    )
    alone = TripleShares(label_images=0, videos=1, caption_images=0)
    return (
        TripleSource(*seen, labels, spec.shares, seed, spec.batch, timesteps, spec.drop, captions),
        TripleSource(*unseen, None, alone, seed, spec.batch, timesteps, spec.drop),
    )


def at_drawn_rates(sources: Sequence[Source], frames: int, seed: int) -> list[Rated]:
    """One of the paper's seven rates for each video, of those that `fitting` allows, each as likely.

    Raises:
        VideoError: naming videos that are too slow or too short for each of them, with what is needed.
    """
    drawn, rated, unfit = np.random.default_rng(seed).random(len(sources)), [], []
    for source, place in zip(sources, drawn, strict=True):
        runs = timing(source)
        if rates := fitting(runs, frames):
            rated.append(Rated(source, rates[int(place * len(rates))]))
        else:
            unfit.append(f"{source.path}: {_why(runs, frames)}")
    if unfit:
        raise VideoError("; ".join(unfit[:3]) + (f"; and {len(unfit) - 3} more" if len(unfit) > 3 else ""))
    return rated


def fitting(runs: Timing, frames: int) -> list[int]:
    """The paper's rates that a video has: no more frames a second than its own, within one percent, and so many frames
    in its length. A clip at 1 frame a second needs a long video, one at 30 little more than half a second."""
    return [rate for rate in _possible(runs) if (frames - 1) / rate < runs.seconds - 0.5 / runs.rate]


def _possible(runs: Timing) -> list[int]:
    return [rate for rate in VIDEO_FPS if rate <= runs.rate * _NEARLY]


def _why(runs: Timing, frames: int) -> str:
    """Why no rate fits."""
    if not (rates := _possible(runs)):
        return f"has {runs.rate:.3g} frames a second, expected at least {VIDEO_FPS[0]}"
    needed = (frames - 1) / rates[-1] + 1 / runs.rate
    found = f"too short: {runs.seconds:.2f} s at {runs.rate:.4g} frames a second"
    return f"{found}, expected at least {needed:.2f} s, {frames} frames at {rates[-1]} a second"


def _captioned_images(images: ImageFolder) -> list[tuple[Source, str]]:
    sources, path = find_images(Path(images.folder)), Path(images.captions)
    captions = matched(read_captions(path), sources, path)
    return [(source, captions[source.id]) for source in sources if source.id in captions]


def _labelled_images(folder: Path) -> list[tuple[Source, str]]:
    """Images of the folders of a folder, and the names of these."""
    if not folder.is_dir():
        raise ValueError(f"labels: {folder}: no such folder")
    labels = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not labels:
        raise ValueError(f"labels: {folder} holds no folders, expected one for each label")
    return [(source, label.name.replace("_", " ")) for label in labels for source in find_images(label)]


def _stills(
    pairs: Sequence[tuple[Source, str]],
    size: int,
    codec: Codec,
    encoder: CaptionEncoder,
    device: torch.device | str,
) -> Stills:
    sources, texts = zip(*pairs, strict=True)
    images = (read_image(source.path)[None] for source in each(sources, "encoding", "images"))
    latents = torch.cat([encoded(image, size, codec, device)[0] for image in images])
    return Stills.embedded(latents, texts, encoder)
