"""Videos -> what was measured of them: the networks' features reduced to rows as they come."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd
import torch

from metrics.digests import digest
from metrics.distances import pairs
from metrics.networks.features import ClipFeatures, Described, Network, Prepared
from metrics.scoring.cache import FeatureCache
from metrics.scoring.extraction import Extracted, Extractor, VideoInput
from metrics.scoring.measured import COLUMNS, Measured, Provenance
from metrics.scoring.per_clip import PER_CLIP
from metrics.scoring.protocol import Protocol

_TEXT_BATCH = 256
Videos = Iterable[tuple[Extracted, Extracted | None]]  # each with its original, if it has one


@dataclass(frozen=True)
class Batch:
    """Videos that are one set, and their captions by clip id; those of no clip count as clips that lack."""

    inputs: Sequence[VideoInput]
    captions: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Measurer:
    """Networks, and how they are run; see `Extractor` for the others."""

    networks: Sequence[Network]
    protocol: Protocol
    cache: FeatureCache
    decoder: str | None = None
    batch: int = 2
    workers: int | None = None

    @property
    def provenance(self) -> Provenance:
        """What every number is made by."""
        own = [network for network in self.networks if isinstance(network, Described)]
        weights, described = {n.name: n.weights for n in own}, {n.name: n.description for n in own}
        environments = {n.name: n.environment for n in own} | {"pairs": pairs.environment()}
        prepared = {n.name: n.preparation for n in own if isinstance(n, Prepared)}
        return Provenance(weights, described, environments, prepared)

    def measure(self, batches: Sequence[Batch], title: str) -> Iterator[Measured]:
        """What the networks make of each set of videos, as soon as its last is read: one loader, one progress bar."""
        inputs = [video for batch in batches for video in batch.inputs]
        with closing(self.extract(inputs, title)) as videos:
            for batch in batches:
                yield self.reduce(islice(videos, len(batch.inputs)), batch)
            next(videos, None)  # ends the progress bar

    def extract(self, inputs: Sequence[VideoInput], title: str) -> Iterator[tuple[Extracted, Extracted | None]]:
        """The arrays that the networks make of videos; of their originals, I3D's."""
        extractor = Extractor(
            self.networks, self.protocol.clips, self.cache, self.decoder, self.batch, self.workers, ("i3d",)
        )
        return extractor.extract(inputs, title)

    def reduce(self, videos: Videos, batch: Batch) -> Measured:
        """The rows of a set of videos."""
        captions = batch.captions
        absent = sorted(set(captions) - {video.source.id for video in batch.inputs}) if captions else []
        text = self.text_vectors(captions) if captions else None
        return collect(videos, self.provenance, captions, text, absent)

    def text_vectors(self, captions: Mapping[str, str]) -> dict[str, np.ndarray] | None:
        """Unit vectors of captions, each encoded once and cached; None without a dual encoder."""
        network = next((n for n in self.networks if isinstance(n, ClipFeatures)), None)
        if network is None:
            return None
        vectors: dict[str, np.ndarray] = {}
        unique = list(dict.fromkeys(captions.values()))
        keys = {caption: digest(["text", caption, network.identity]) for caption in unique}
        for caption in unique:
            if (kept := self.cache.get(keys[caption])) is not None:
                vectors[caption] = kept[0]["text"]
        missing = [caption for caption in unique if caption not in vectors]
        for i in range(0, len(missing), _TEXT_BATCH):
            part = missing[i : i + _TEXT_BATCH]
            for caption, vector in zip(part, network.text_features(part), strict=True):
                vectors[caption] = vector
                self.cache.put(keys[caption], {"text": vector}, {})
        return vectors


def collect(
    videos: Videos,
    provenance: Provenance,
    captions: Mapping[str, str] | None = None,
    text: Mapping[str, np.ndarray] | None = None,
    absent: Sequence[str] = (),
) -> Measured:
    """Reduce videos to rows as they come; the frames' features are dropped at once.

    Args:
        captions: by clip id. text: a caption's unit vector (d,); None where no metric wants it. absent: clips that have
            a caption and no file.
    """
    rows: list[dict[str, object]] = []
    logits: list[np.ndarray] = []
    errors = [(name, "has a caption and no file") for name in absent]
    requested = len(absent)
    for video, original in videos:
        requested += 1
        caption = captions.get(video.source.id) if captions is not None else None
        errors += [(video.source.id, why) for why in _errors(video, captions is not None and not caption)]
        if video.error:
            continue
        about = {"caption": caption} if captions is not None else {}
        about |= {"original": original.content} if original else {}
        rows += _rows(video, about, _columns(video, text[caption] if caption and text is not None else None))
        if "i3d" in video.features:
            (vectors,) = video.features["i3d"].values()
            logits += list(vectors)
    table = pd.DataFrame(rows, columns=None if rows else COLUMNS)
    return Measured(table, np.stack(logits) if logits else np.empty((len(rows), 0)), requested, errors, provenance)


def _rows(
    video: Extracted, about: Mapping[str, object], columns: Mapping[str, np.ndarray]
) -> Iterator[dict[str, object]]:
    """A row for each window."""
    for window in range(video.windows):
        identity = (video.source.id, window, video.content, video.codec, video.decoder, video.size)
        values = {name: float(values[window]) for name, values in columns.items()}
        yield {**dict(zip(COLUMNS, identity, strict=True)), **about, **values}


def _errors(video: Extracted, lacks_caption: bool) -> Iterable[str]:
    if video.error:
        yield video.error
        return
    if lacks_caption:
        yield f"has no caption: not in {_labels('captions')}"
    if video.unpaired:
        yield f"not in {_labels('pairs')}: {video.unpaired}"


def _labels(needs: str) -> str:
    return " and ".join(metric.label for metric in PER_CLIP if metric.needs == needs)


def _columns(video: Extracted, text: np.ndarray | None) -> dict[str, np.ndarray]:
    """Per-clip metrics (W,) by name. Features that are one number per window are metrics as they are."""
    columns = {k: v for arrays in video.features.values() for k, v in arrays.items() if v.ndim == 1}
    if "clip" in video.features:
        columns |= _of_frames(torch.from_numpy(video.features["clip"]["frames"]), text)
    return columns


def _of_frames(frames: torch.Tensor, text: np.ndarray | None) -> dict[str, np.ndarray]:
    """The metrics of the dual encoder's frame features (W, T, d) and, if there is a caption, of its (d,)."""
    captions = None if text is None else torch.from_numpy(text).expand(len(frames), -1)
    columns = {}
    for metric in PER_CLIP:
        lacks_caption = metric.needs == "captions" and captions is None
        if metric.of_frames and not lacks_caption and frames.shape[1] >= metric.frames:
            columns[metric.name] = metric.of_frames(frames, captions).numpy()
    return columns
