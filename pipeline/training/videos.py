"""Training clips from a folder of captioned videos instead of the world: how the temporal layers of a checkpoint at
its own size are trained."""

from pathlib import Path

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
from pipeline.config.train import VideoFolder
from pipeline.training.latents import CaptionedLatents, CaptionEncoder, encode_clips


def latents_of(
    videos: VideoFolder, codec: Codec, encoder: CaptionEncoder, device: torch.device | str
) -> tuple[CaptionedLatents, CaptionedLatents]:
    """The videos that are trained on, and those that are not.

    Raises:
        CaptionError, VideoError: if captions or videos cannot be read, or a video is too short; named.
        ValueError: if no captioned video is left to train on.
    """
    sources = {source.id: source for source in find(Path(videos.clips))}
    captions = matched(read_captions(Path(videos.captions)), list(sources.values()), Path(videos.captions))
    chosen = [name for name in sources if name in captions]
    if len(chosen) <= videos.unseen:
        have = f"{len(chosen)} captioned videos in {videos.clips}"
        raise ValueError(f"{have}, of which {videos.unseen} are kept for validation: none is left to train on")
    latents = torch.cat([_encoded(videos, sources[name], codec, device) for name in each(chosen, "encoding", "videos")])
    texts = [captions[name] for name in chosen]
    parts = (slice(None, len(chosen) - videos.unseen), slice(len(chosen) - videos.unseen, None))
    seen, unseen = (CaptionedLatents(latents[part], texts[part], encoder) for part in parts)
    return seen, unseen


def _encoded(videos: VideoFolder, source: Source, codec: Codec, device: torch.device | str) -> torch.Tensor:
    try:
        clip = read(source, ClipRule(videos.frames, stride=videos.stride)).clips[0]
    except Exception as error:  # whatever a decoder raises
        raise VideoError(f"{source.path}: {reason(error)}") from error
    square = resize(torch.from_numpy(clip), videos.size, Resize.CENTRE_BICUBIC)
    frames = square.round().clamp(0, 255).byte().movedim(1, -1)[None]
    return encode_clips(codec, frames.numpy(), device)
