"""Videos, decoded once in worker processes -> the arrays that every network makes of them, one video at a time.

A worker reads a video, resizes its clips for each network that has not seen them, and hands them over; the networks
run here. Nothing is kept but what the caller keeps, so memory does not grow with the number of videos. Arrays are
cached by the file's content, the rule for clips and the network: what was done once, also by a run that was killed,
is not done again, and a video whose arrays are all there is not decoded.
"""

import ctypes
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from metrics.digests import digest
from metrics.distances import pairs
from metrics.distances.pairs import PAIR, compare
from metrics.networks.features import Network
from metrics.progress import Progress
from metrics.reading import video
from metrics.reading.errors import VideoError
from metrics.reading.rule import ClipRule
from metrics.reading.sources import Source, source_hash
from metrics.scoring.cache import FeatureCache


@dataclass(frozen=True)
class VideoInput:
    """A video to read, and the one to compare it with pixel by pixel, if there is one (decoded in the same go)."""

    source: Source
    partner: Source | None = None


@dataclass
class Extracted:
    """What became of one video.

    content: digest of what is stored. codec, decoder: of its file. size: of its frames, "1280x720". error: why it could
    not be scored, else "". unpaired: why it could not be compared with its partner, else "". features: arrays with a
    leading axis of windows, by network; pairs of clips are measured under `metrics.distances.pairs.PAIR`.
    """

    source: Source
    content: str = ""
    codec: str = ""
    decoder: str = ""
    size: str = ""
    windows: int = 0
    error: str = ""
    unpaired: str = ""
    features: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)


@dataclass
class _Read(Extracted):
    """What a worker hands over: cached features, and clips prepared for the networks that have none."""

    prepared: dict[str, list[torch.Tensor]] = field(default_factory=dict)


@dataclass(frozen=True)
class Extractor:
    """Reads videos and runs networks on them.

    Args:
        networks: with unlike names. rule: which frames make a clip. cache: of the arrays. decoder: None for the best
        that is there. batch: clips in one forward pass. workers: processes that decode; 0 decodes here. for_partners:
        names of the networks that see partners too.
    """

    networks: Sequence[Network]
    rule: ClipRule
    cache: FeatureCache
    decoder: str | None = None
    batch: int = 2
    workers: int = 2
    for_partners: Sequence[str] = ()

    def extract(self, inputs: Sequence[VideoInput], title: str) -> Iterator[tuple[Extracted, Extracted | None]]:
        """(video, partner or None) of each input, in their order; a video that cannot be read carries its error."""
        loader = DataLoader(
            _Videos(self, inputs),
            batch_size=self.batch,
            num_workers=self.workers,
            collate_fn=list,
            prefetch_factor=2 if self.workers else None,
            worker_init_fn=_return_memory,
        )
        with Progress(title, len(inputs), "videos") as work:
            for group in loader:
                self._finish([read for pair in group for read in pair if read is not None])
                yield from group
                work.update(len(group))

    def _finish(self, reads: Sequence[_Read]) -> None:
        """Run each network on the clips that were prepared for it, and keep the arrays."""
        for network in self.networks:
            waiting = [read for read in reads if network.name in read.prepared]
            clips = [clip for read in waiting for clip in read.prepared[network.name]]
            arrays = [
                one for i in range(0, len(clips), self.batch) for one in network.features(clips[i : i + self.batch])
            ]
            for read in waiting:
                own, arrays = arrays[: read.windows], arrays[read.windows :]
                self._keep(read, network, {name: np.stack([one[name] for one in own]) for name in own[0]})
                del read.prepared[network.name]

    def _keep(self, read: Extracted, network: Network, arrays: dict[str, np.ndarray]) -> None:
        read.features[network.name] = arrays
        self.cache.put(self._key(read.content, network.identity), arrays, _about(read))

    def _key(self, content: str, identity: str) -> str:
        return digest([_LAYOUT, content, identity, vars(self.rule), video.decoder_version(self.decoder)])

    def read(self, given: VideoInput) -> tuple[_Read, _Read | None]:
        """What a worker does: read, compare and prepare, or take what the cache has."""
        own = self._known(given.source, self.networks)
        if given.partner is None:
            self._prepare(own, self.networks, again=False)
            return own, None
        theirs = [network for network in self.networks if network.name in self.for_partners]
        partner = self._known(given.partner, theirs)
        key = self._key(f"{own.content}-{partner.content}", digest(pairs.environment()))
        pair = self.cache.get(key)
        clips = self._prepare(own, self.networks, again=pair is None)
        originals = self._prepare(partner, theirs, again=pair is None)
        if pair is not None:
            _take(own, PAIR, *pair)
        elif clips is not None and originals is not None:
            try:
                own.features[PAIR] = compare(clips, originals)
                self.cache.put(key, own.features[PAIR], _about(own))
            except VideoError as error:
                own.unpaired = str(error)
        elif not own.error:
            own.unpaired = f"its original: {partner.error}"
        return own, partner

    def _known(self, source: Source, networks: Sequence[Network]) -> _Read:
        """The video with what the cache holds of it; its content is hashed, nothing is decoded."""
        try:
            read = _Read(source, content=source_hash(source))
        except VideoError as error:
            return _Read(source, error=str(error))
        for network in networks:
            cached = self.cache.get(self._key(read.content, network.identity))
            if cached is not None:
                _take(read, network.name, *cached)
        return read

    def _prepare(self, read: _Read, networks: Sequence[Network], again: bool) -> np.ndarray | None:
        """Decode the video if a network lacks it (or it is wanted `again`), and prepare its clips; None if not decoded.

        An error is noted in the video.
        """
        missing = [network for network in networks if network.name not in read.features]
        if read.error or not (missing or again):
            return None
        try:
            decoded = video.read(read.source, self.rule, self.decoder)
            read.codec, read.decoder, read.size = decoded.codec, decoded.decoder, decoded.size
            read.windows = len(decoded.clips)
            read.prepared = {network.name: [network.prepare(clip) for clip in decoded.clips] for network in missing}
        except Exception as error:  # whatever a decoder or a network makes of odd data: the other videos go on
            read.error, read.features, read.prepared = video.reason(error), {}, {}
            return None
        return decoded.clips


def _about(read: Extracted) -> dict[str, str]:
    """What the cache keeps of a video beside arrays."""
    return {name: getattr(read, name) for name in _OF_FILE} | {"windows": str(read.windows)}


def _take(read: Extracted, name: str, arrays: dict[str, np.ndarray], about: dict[str, str]) -> None:
    """What the cache kept of a video, under a network's name."""
    read.features[name] = arrays
    read.codec, read.decoder, read.size = (about[field] for field in _OF_FILE)
    read.windows = int(about["windows"])


def _return_memory(_worker: int) -> None:
    """Have glibc hand frames back to the system when they are freed: kept for reuse, they splinter and pile up."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, 1 << 16)


_LAYOUT = 3  # of what is cached; raise it when `_keep` keeps something else
_OF_FILE = ("codec", "decoder", "size")
_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h


class _Videos(Dataset):
    def __init__(self, extractor: Extractor, inputs: Sequence[VideoInput]) -> None:
        self.extractor, self.inputs = extractor, inputs

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, i: int) -> tuple[_Read, _Read | None]:
        return self.extractor.read(self.inputs[i])
