"""Training clips from a folder of captioned videos instead of the world: how the temporal layers of a checkpoint at
its own size are trained."""

from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL

from metrics.networks.resize import resize
from metrics.networks.rules import Resize
from metrics.progress import each
from metrics.reading.captions import read_captions
from metrics.reading.errors import VideoError
from metrics.reading.matching import matched
from metrics.reading.rule import ClipRule
from metrics.reading.sources import Source, find
from metrics.reading.video import read, reason
from pipeline.training.latents import CaptionedLatents, Captions, encode_clips


@dataclass(frozen=True)
class VideoFolder:
    """Videos below the folder `clips` (metrics.reading.sources) and the file of their captions
    (metrics.reading.captions).

    Of each the first `frames` frames are taken, every `stride`-th, the short side brought to `size` pixels and the
    middle kept. The last `unseen` videos, in the order of their names, are kept for validation.
    """

    clips: str
    captions: str
    frames: int
    size: int
    stride: int = 1
    unseen: int = 8

    def latents(
        self, codec: AutoencoderKL, how: Captions, device: torch.device | str
    ) -> tuple[CaptionedLatents, CaptionedLatents]:
        """The videos that are trained on, and those that are not.

        Raises:
            CaptionError, VideoError: if captions or videos cannot be read, or a video is too short; named.
            ValueError: if no captioned video is left to train on.
        """
        found = {source.id: source for source in find(Path(self.clips))}
        captions = matched(read_captions(Path(self.captions)), list(found.values()), Path(self.captions))
        chosen = [name for name in found if name in captions]
        if len(chosen) <= self.unseen:
            have = f"{len(chosen)} captioned videos in {self.clips}"
            raise ValueError(f"{have}, of which {self.unseen} are kept for validation: none is left to train on")
        latents = torch.cat([self._encoded(found[name], codec, device) for name in each(chosen, "encoding", "videos")])
        texts = [captions[name] for name in chosen]
        parts = (slice(None, len(chosen) - self.unseen), slice(len(chosen) - self.unseen, None))
        seen, unseen = (CaptionedLatents(latents[part], texts[part], how) for part in parts)
        return seen, unseen

    def _encoded(self, source: Source, codec: AutoencoderKL, device: torch.device | str) -> torch.Tensor:
        try:
            clip = read(source, ClipRule(self.frames, stride=self.stride)).clips[0]
        except Exception as error:  # whatever a decoder raises
            raise VideoError(f"{source.path}: {reason(error)}") from error
        square = resize(torch.from_numpy(clip), self.size, Resize.CENTRE_BICUBIC)
        frames = square.round().clamp(0, 255).byte().movedim(1, -1)[None]
        return encode_clips(codec, frames.numpy(), device)
