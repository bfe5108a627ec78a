"""Videos, decoded once -> the arrays that every network makes of them, one video at a time.

Each worker process decodes a video, resizes its clips and runs the networks that compute on the CPU on them, on one
thread: nothing but features goes from process to process, and no thread waits for another. What a network on a GPU is
to see is handed over to the process that holds it, and goes through it in full batches, whichever videos it is of.
Nothing is kept but what the caller keeps, so memory does not grow with the number of videos. Arrays are cached by the
file's content, the rule for clips and the network: what was done once, also by a run that was killed, is not done
again, and a video whose arrays are all there is not decoded.
"""

import os
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info

from metrics.digests import digest
from metrics.distances import pairs
from metrics.distances.pairs import PAIR, compare
from metrics.forking import garbage_left_behind
from metrics.networks.features import Network
from metrics.progress import Progress
from metrics.reading import video
from metrics.reading.errors import VideoError
from metrics.reading.rule import ClipRule
from metrics.reading.sources import Source, source_hash
from metrics.scoring import memory
from metrics.scoring.cache import FeatureCache
from metrics.versions import version


@dataclass(frozen=True)
class VideoInput:
    """A video to read, and the one to compare it with pixel by pixel, if there is one (decoded in the same go).

    compared: what is measured of the two, of `metrics.distances.pairs.MEASURES`.
    """

    source: Source
    partner: Source | None = None
    compared: Sequence[str] = pairs.MEASURES


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
    """What a worker hands over: features, and clips prepared for the networks on a GPU that have none."""

    prepared: dict[str, list[torch.Tensor]] = field(default_factory=dict)
    decoded: bool = False  # whether there was something to do for it


_Found = tuple[_Read, _Read | None] | ValueError  # what a worker hands over


@dataclass(frozen=True)
class Extractor:
    """Reads videos and runs networks on them.

    Args:
        networks: with unlike names. rule: which frames make a clip. cache: of the arrays. decoder: None for the best
        that is there. batch: clips in one forward pass. workers: processes that decode and compute; 0 does all here,
        None takes one for each core. for_partners: names of the networks that see partners too.
    """

    networks: Sequence[Network]
    rule: ClipRule
    cache: FeatureCache
    decoder: str | None = None
    batch: int = 2
    workers: int | None = None
    for_partners: Sequence[str] = ()

    def extract(self, inputs: Sequence[VideoInput], title: str) -> Iterator[tuple[Extracted, Extracted | None]]:
        """(video, partner or None) of each input, in their order; a video that cannot be read carries its error."""
        elsewhere = [network for network in self.networks if not _computes_here(network)]
        waiting: list[tuple[_Read, _Read | None]] = []
        with Progress(title, len(inputs), "videos") as work:
            for pair in self._reads(inputs):
                waiting.append(pair)
                if 0 < _most_clips(waiting) < self.batch:
                    continue
                self._finish(waiting, elsewhere)
                yield from waiting
                work.update(len(waiting))
                waiting = []
            self._finish(waiting, elsewhere)
            yield from waiting
            work.update(len(waiting))

    def _reads(self, inputs: Sequence[VideoInput]) -> Iterator[tuple[_Read, _Read | None]]:
        """What `read` makes of each input: here until a video was decoded, so that workers are only started where there
        is work for them, and share the weights that were loaded."""
        workers = cores() if self.workers is None else self.workers
        left = iter(inputs)
        for given in left:
            own, partner = self.read(given)
            yield own, partner
            if workers and (own.decoded or (partner is not None and partner.decoded)):
                break
        rest = list(left)
        loader = DataLoader(
            _Videos(self, rest),
            batch_size=None,
            num_workers=min(workers, len(rest)),
            collate_fn=_unchanged,
            prefetch_factor=_PREFETCHED if workers and rest else None,
            worker_init_fn=_begin,
        )
        with garbage_left_behind():
            workers_at_work = iter(loader)
        for found in workers_at_work:
            if isinstance(found, ValueError):
                raise found
            yield found

    def _finish(self, pairs: Sequence[tuple[_Read, _Read | None]], networks: Sequence[Network]) -> None:
        """Run these networks on the clips that were prepared for them, and keep the arrays."""
        for network in networks:
            waiting = [read for pair in pairs for read in pair if read is not None and network.name in read.prepared]
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
        self.cache.put(self._key(network.identity, read), arrays, _about(read))

    def _key(self, identity: str, *reads: Extracted) -> str:
        readers = " / ".join(dict.fromkeys(_reader(read.source, self.decoder) for read in reads))
        return digest([_LAYOUT, "-".join(read.content for read in reads), identity, vars(self.rule), readers])

    def read(self, given: VideoInput) -> tuple[_Read, _Read | None]:
        """What a worker does: read, compare and run the networks that compute here, or take what the cache has."""
        pair = self._read(given)
        self._finish([pair], [network for network in self.networks if _computes_here(network)])
        return pair

    def _read(self, given: VideoInput) -> tuple[_Read, _Read | None]:
        """Both videos, compared and prepared."""
        own = self._known(given.source, self.networks)
        if given.partner is None:
            self._prepare(own, self.networks, again=False)
            return own, None
        theirs = [network for network in self.networks if network.name in self.for_partners]
        partner = self._known(given.partner, theirs)
        absent = self._take_compared(own, partner, given.compared)
        clips = self._prepare(own, self.networks, again=bool(absent))
        originals = self._prepare(partner, theirs, again=bool(absent))
        if absent and clips is not None and originals is not None:
            try:
                self._keep_compared(own, partner, compare(clips, originals, absent))
            except VideoError as error:
                own.unpaired = str(error)
                own.features.pop(PAIR, None)  # as where nothing was cached
        elif absent and not own.error:
            own.unpaired = f"its original: {partner.error}"
        return own, partner

    def _take_compared(self, own: _Read, partner: _Read, names: Sequence[str]) -> list[str]:
        """Take what the cache has of a pair; the names of what it has not."""
        kept = {name: self.cache.get(self._key_of_pair(name, own, partner)) for name in names}
        for arrays, about in filter(None, kept.values()):
            _take(own, PAIR, own.features.get(PAIR, {}) | arrays, about)
        return [name for name, found in kept.items() if found is None]

    def _keep_compared(self, own: _Read, partner: _Read, found: dict[str, np.ndarray]) -> None:
        own.features[PAIR] = own.features.get(PAIR, {}) | found
        for name, values in found.items():
            self.cache.put(self._key_of_pair(name, own, partner), {name: values}, _about(own))

    def _key_of_pair(self, name: str, own: _Read, partner: _Read) -> str:
        return self._key(digest([name, pairs.environment()]), own, partner)

    def _known(self, source: Source, networks: Sequence[Network]) -> _Read:
        """The video with what the cache holds of it; its content is hashed, nothing is decoded."""
        try:
            read = _Read(source, content=source_hash(source))
        except VideoError as error:
            return _Read(source, error=str(error))
        for network in networks:
            cached = self.cache.get(self._key(network.identity, read))
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
            read.decoded = True
        except Exception as error:  # whatever a decoder or a network makes of odd data: the other videos go on
            read.error, read.features, read.prepared = video.reason(error), {}, {}
            return None
        return decoded.clips


def _reader(source: Source, decoder: str | None) -> str:
    """What turns a file into pixels, with versions: a folder's pictures are Pillow's to read."""
    own = video.decoder_version(decoder)
    return f"{own}, pillow {version('pillow')}" if source.path.is_dir() else own


def cores() -> int:
    """How many this process may use: a container or a batch system may give it fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _about(read: Extracted) -> dict[str, str]:
    """What the cache keeps of a video beside arrays."""
    return {name: getattr(read, name) for name in _OF_FILE} | {"windows": str(read.windows)}


def _take(read: Extracted, name: str, arrays: dict[str, np.ndarray], about: dict[str, str]) -> None:
    """What the cache kept of a video, under a network's name."""
    read.features[name] = arrays
    read.codec, read.decoder, read.size = (about[field] for field in _OF_FILE)
    read.windows = int(about["windows"])


def _computes_here(network: Network) -> bool:
    return network.device == "cpu"


def _most_clips(pairs: Sequence[tuple[_Read, _Read | None]]) -> int:
    """How many clips wait for the network that has most to do."""
    counts = Counter[str]()
    for read in (read for pair in pairs for read in pair if read is not None):
        counts.update({name: len(clips) for name, clips in read.prepared.items()})
    return max(counts.values(), default=0)


def _unchanged(found: _Found) -> _Found:
    return found


def _begin(_worker: int) -> None:
    """In workers alone: what they keep in hand is theirs, and the caller's own memory is the caller's affair."""
    memory.keep()


_LAYOUT = 3  # of what is cached; raise it when `_keep` keeps something else
_OF_FILE = ("codec", "decoder", "size")
_PREFETCHED = 4  # videos for each worker to have in hand, so that a long one makes nobody wait
_TIDIED = 128  # videos from one return of free memory to the next, which costs a third of a video


class _Videos(Dataset):
    def __init__(self, extractor: Extractor, inputs: Sequence[VideoInput]) -> None:
        self.extractor, self.inputs, self.read = extractor, inputs, 0

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, i: int) -> _Found:
        """What was read; what the user can fix is handed over, because a loader makes a traceback of its message."""
        self.read += 1
        if self.read % _TIDIED == 0 and get_worker_info() is not None:
            memory.tidy()
        try:
            return self.extractor.read(self.inputs[i])
        except ValueError as error:
            error.add_note(traceback.format_exc())
            return error
