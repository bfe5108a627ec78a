"""Videos, decoded once in worker processes -> the arrays that every network makes of them, one video at a time.

A worker reads a video, resizes its clips for each network that has not seen them, and hands them over; the networks
run here. Nothing is kept but what the caller keeps, so memory does not grow with the number of videos. Arrays are
cached by the file's content, the rule for clips and the network: what was done once, also by a run that was killed,
is not done again, and a video whose arrays are all there is not decoded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from metrics import video
from metrics.cache import FeatureCache
from metrics.networks import Network
from metrics.pairs import PAIR, compare
from metrics.protocol import ClipRule, fingerprint
from metrics.video import Source, VideoError


@dataclass(frozen=True)
class Job:
    """A video to read, and the one to compare it with pixel by pixel, if there is one (decoded in the same go)."""

    source: Source
    partner: Source | None = None


@dataclass
class Extracted:
    """What became of one video.

    fault: why it could not be scored, else "". codec: of its file. features: arrays with a leading axis of windows,
    by network; pairs of clips are measured under `metrics.pairs.PAIR`.
    """

    source: Source
    content: str = ""
    codec: str = ""
    windows: int = 0
    fault: str = ""
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
        that is there. batch: clips in one forward pass. workers: processes that decode; 0 decodes here.
    """

    networks: Sequence[Network]
    rule: ClipRule
    cache: FeatureCache
    decoder: str | None = None
    batch: int = 4
    workers: int = 2

    def extract(self, jobs: Sequence[Job], title: str) -> Iterator[tuple[Extracted, Extracted | None]]:
        """(video, partner or None) of each job, in their order; a video that cannot be read carries its fault."""
        loader = DataLoader(
            _Videos(self, jobs), batch_size=self.batch, num_workers=self.workers, collate_fn=list,
            prefetch_factor=2 if self.workers else None,
        )  # fmt: skip
        with tqdm(total=len(jobs), desc=title, unit="video", disable=None) as bar:
            for group in loader:
                self._finish([read for pair in group for read in pair if read is not None])
                yield from group
                bar.update(len(group))

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
        words = {"codec": read.codec, "windows": str(read.windows)}
        self.cache.put(self._key(read.content, network.identity), arrays, words)

    def _key(self, content: str, identity: str) -> str:
        return fingerprint([content, identity, vars(self.rule), video.decoder_version(self.decoder)])

    def read(self, job: Job) -> tuple[_Read, _Read | None]:
        """What a worker does: read, compare and prepare, or take what the cache has."""
        own, partner = self._known(job.source), self._known(job.partner) if job.partner else None
        if partner is None or own.fault or partner.fault:
            self._prepare(own, again=False)
            return own, partner
        key = self._key(f"{own.content}-{partner.content}", PAIR)
        pair = self.cache.get(key)
        clips, originals = (self._prepare(read, again=pair is None) for read in (own, partner))
        if pair is not None:
            own.features[PAIR] = pair[0]
        elif clips is not None and originals is not None:
            try:
                own.features[PAIR] = compare(clips, originals)
                self.cache.put(key, own.features[PAIR], {})
            except VideoError as error:
                own.fault = str(error)
        return own, partner

    def _known(self, source: Source) -> _Read:
        """The video with what the cache holds of it; its content is hashed, nothing is decoded."""
        try:
            read = _Read(source, content=video.content_hash(source))
        except VideoError as error:
            return _Read(source, fault=str(error))
        for network in self.networks:
            found = self.cache.get(self._key(read.content, network.identity))
            if found is not None:
                read.features[network.name], words = found
                read.codec, read.windows = words["codec"], int(words["windows"])
        return read

    def _prepare(self, read: _Read, again: bool) -> np.ndarray | None:
        """Decode the video if a network lacks it (or it is wanted `again`), and prepare its clips; None if not decoded.

        A fault is noted in the video.
        """
        missing = [network for network in self.networks if network.name not in read.features]
        if read.fault or not (missing or again):
            return None
        try:
            found = video.read(read.source, self.rule, self.decoder)
            read.codec, read.windows = found.codec, len(found.clips)
            read.prepared = {network.name: [network.prepare(clip) for clip in found.clips] for network in missing}
        except ValueError as error:  # the video cannot be read, or a network cannot take it
            read.fault, read.features, read.prepared = str(error), {}, {}
            return None
        return found.clips


class _Videos(Dataset):
    def __init__(self, extractor: Extractor, jobs: Sequence[Job]) -> None:
        self.extractor, self.jobs = extractor, jobs

    def __len__(self) -> int:
        return len(self.jobs)

    def __getitem__(self, i: int) -> tuple[_Read, _Read | None]:
        return self.extractor.read(self.jobs[i])
