"""Training clips from a folder of captioned videos instead of the world: how the temporal layers of a checkpoint at
its own size are trained."""

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
from metrics.reading.sources import Source, find
from metrics.reading.video import read, reason
from pipeline.codec.loading import Codec
from pipeline.config.specs import VideoFolder, Videos
from pipeline.samplers.decoding import scale_factor
from pipeline.samplers.stable_diffusion import ImageModel
from pipeline.training.latents import CaptionedLatents, CaptionEncoder, encode_clips


def latents_of(
    videos: VideoFolder, codec: Codec, encoder: CaptionEncoder, device: torch.device | str
) -> tuple[CaptionedLatents, CaptionedLatents]:
    """The videos that are trained on, and those that are not.

    Raises:
        CaptionError, VideoError: if captions or videos cannot be read, or a video is too short; named.
        ValueError: if no captioned video is left to train on.
    """
    chosen, texts = captioned(videos)
    latents = torch.cat([_encoded(videos, source, codec, device) for source in each(chosen, "encoding", "videos")])
    seen, unseen = (CaptionedLatents(latents[part], texts[part], encoder) for part in parted(len(chosen), videos))
    return seen, unseen


def captioned(videos: Videos) -> tuple[list[Source], list[str]]:
    """The videos of a folder that have a caption, in the order of their names, and their captions.

    Raises:
        CaptionError, VideoError: if captions cannot be read, or there is no video; named.
        ValueError: if no captioned video is left to train on.
    """
    sources = {source.id: source for source in find(Path(videos.clips))}
    captions = matched(read_captions(Path(videos.captions)), list(sources.values()), Path(videos.captions))
    chosen = [name for name in sources if name in captions]
    if len(chosen) <= videos.unseen:
        have = f"{len(chosen)} captioned videos in {videos.clips}"
        raise ValueError(f"{have}, of which {videos.unseen} are kept for validation: none is left to train on")
    return [sources[name] for name in chosen], [captions[name] for name in chosen]


def parted(total: int, videos: Videos) -> tuple[slice, slice]:
    """Which of so many videos are trained on, and which are not."""
    return slice(None, total - videos.unseen), slice(total - videos.unseen, None)


def encoded(frames: np.ndarray, size: int, codec: Codec, device: torch.device | str) -> torch.Tensor:
    """uint8 frames (T, H, W, 3) -> scaled latents (1, T, C, h, w) of the middle square, `size` pixels wide."""
    square = resize(torch.from_numpy(frames), size, Resize.CENTRE_BICUBIC)
    clip = square.round().clamp(0, 255).byte().movedim(1, -1)[None]
    return encode_clips(codec, clip.numpy(), device)


def check_size(videos: Videos, images: ImageModel, checkpoint: str) -> None:
    """Refuse a size that is no whole number of the UNet's smallest latents.

    Raises:
        ValueError: naming it and the number that must divide it.
    """
    least = scale_factor(images.codec) * 2 ** (len(images.unet.config.block_out_channels) - 1)
    if videos.size % least:
        raise ValueError(f"videos: size is {videos.size}, expected a multiple of {least} for {checkpoint}")


def _encoded(videos: VideoFolder, source: Source, codec: Codec, device: torch.device | str) -> torch.Tensor:
    try:
        clip = read(source, ClipRule(videos.frames, stride=videos.stride)).clips[0]
    except Exception as error:  # whatever a decoder raises
        raise VideoError(f"{source.path}: {reason(error)}") from error
    return encoded(clip, videos.size, codec, device)
