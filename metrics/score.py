"""Scoring a folder of videos, from files to values: what `reelbench score` and the features stage are made of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from metrics import video
from metrics.bootstrap import Uncertainty
from metrics.cache import FeatureCache
from metrics.captions import CaptionError, read_captions
from metrics.extraction import Extracted, Extractor, Job
from metrics.measured import Measured, Provenance, collect, read_stats
from metrics.networks import ClipFeatures, I3DFeatures, Network
from metrics.protocol import Protocol, fingerprint
from metrics.result import ScoreResult, result_of
from metrics.summary import METRICS, checked, summarise
from metrics.video import Source, VideoError

_TEXT_BATCH = 256


@dataclass(frozen=True)
class Scorer:
    """How folders are scored: networks, protocol, cache, decoder and uncertainty; see `Extractor` for the others.

    networks: those that the wanted metrics need, I3D and the dual encoder resizing by the protocol's rules.
    """

    networks: Sequence[Network]
    protocol: Protocol
    cache: FeatureCache
    how: Uncertainty
    decoder: str | None = None
    batch: int = 4
    workers: int = 2

    @property
    def provenance(self) -> Provenance:
        """What every number of this scorer was made by."""
        weights = {n.name: n.weights for n in self.networks if isinstance(n, I3DFeatures | ClipFeatures)}
        kind = next((n.kind for n in self.networks if isinstance(n, ClipFeatures)), "")
        return Provenance(weights, video.decoder_version(self.decoder), kind)

    def real(self, folder: Path) -> Measured:
        """The real clips below a folder, as I3D sees them."""
        return self._real(video.find(folder))

    def stats(self, path: Path) -> Measured:
        """The real clips that a file of statistics keeps."""
        identity = next(network.identity for network in self.networks if network.name == "i3d")
        return read_stats(path, self.protocol, identity)

    def score(
        self, names: Sequence[str], gen: Path, real: Path | None = None, stats: Path | None = None,
        captions: Path | None = None,
    ) -> tuple[ScoreResult, pd.DataFrame]:  # fmt: skip
        """The named metrics of the clips below a folder, and a table with a row per window.

        Args:
            real: folder of real clips, or `stats`, a file that `write_stats` wrote. captions: see `read_captions`.

        Raises:
            ValueError: before anything is decoded, if a folder holds no video, captions match no file, or a metric
                lacks what it needs.
        """
        sources = video.find(gen)
        originals = video.find(real) if real else []
        pairs = any(METRICS[name].needs == "pairs" for name in checked(names))
        partners = paired(sources, originals) if pairs else None
        wanted = matched(read_captions(captions), sources, captions) if captions else None
        real_side = self.stats(stats) if stats else None
        measured = self._generated(sources, partners, wanted)
        if originals and any(METRICS[name].needs == "real" for name in names):
            real_side = self._real(originals)
        values = summarise(names, measured, real_side, self.protocol, self.how)
        return result_of(values, measured, real_side, self.protocol, self.how), measured.table

    def _real(self, sources: Sequence[Source]) -> Measured:
        i3d = [network for network in self.networks if network.name == "i3d"]
        return replace(self, networks=i3d).measure([Job(source) for source in sources], "real")

    def _generated(
        self, sources: Sequence[Source], partners: Mapping[str, Source] | None, captions: Mapping[str, str] | None
    ) -> Measured:
        """The generated side; what its captions or originals lack is among its faults."""
        jobs = [Job(source, (partners or {}).get(source.id)) for source in sources]
        found = self.measure(jobs, "generated", captions)
        if partners is None:
            return found
        alone = [(s.id, "has no original of its name") for s in sources if s.id not in partners]
        return replace(found, faults=[*found.faults, *alone])

    def measure(self, jobs: Sequence[Job], title: str, captions: Mapping[str, str] | None = None) -> Measured:
        """What the networks make of videos; captions are by clip id, and those of no clip count as clips that lack."""
        absent = sorted(set(captions) - {job.source.id for job in jobs}) if captions else []
        text = self._text(captions) if captions else None
        extractor = Extractor(self.networks, self.protocol.clips, self.cache, self.decoder, self.batch, self.workers)
        faults: list[tuple[str, str]] = []
        found = collect(_own(extractor.extract(jobs, title), faults), self.provenance, captions, text, absent)
        return replace(found, faults=[*found.faults, *faults])

    def _text(self, captions: Mapping[str, str]) -> dict[str, np.ndarray]:
        """Unit vectors of captions, each encoded once and cached."""
        network = next((n for n in self.networks if isinstance(n, ClipFeatures)), None)
        if network is None:
            return {}
        found: dict[str, np.ndarray] = {}
        unique = list(dict.fromkeys(captions.values()))
        keys = {caption: fingerprint(["text", caption, network.identity]) for caption in unique}
        for caption in unique:
            if (kept := self.cache.get(keys[caption])) is not None:
                found[caption] = kept[0]["text"]
        missing = [caption for caption in unique if caption not in found]
        for i in range(0, len(missing), _TEXT_BATCH):
            part = missing[i : i + _TEXT_BATCH]
            for caption, vector in zip(part, network.encoder.text_features(part).numpy(), strict=True):
                found[caption] = vector
                self.cache.put(keys[caption], {"text": vector}, {})
        return found


def _own(extracted: Iterator[tuple[Extracted, Extracted | None]], faults: list[tuple[str, str]]) -> Iterator[Extracted]:
    """The videos without their originals; an original that cannot be read is noted under the name of its copy."""
    for own, original in extracted:
        if original is not None and original.fault:
            faults.append((own.source.id, f"its original: {original.fault}"))
        yield own


def matched(captions: Mapping[str, str], sources: Sequence[Source], path: Path) -> dict[str, str]:
    """Captions by clip id; those that match no clip keep their own name.

    Raises:
        CaptionError: if none matches, or a stem names several clips.
    """
    by_stem: dict[str, list[str]] = {}
    for source in sources:
        by_stem.setdefault(source.stem, []).append(source.id)
    ids = {source.id for source in sources}
    found: dict[str, str] = {}
    for name, caption in captions.items():
        places = [name] if name in ids else by_stem.get(name, [])
        if len(places) > 1:
            raise CaptionError(
                f"{path}: {name!r} names {len(places)} clips ({', '.join(places[:3])}): give their paths"
            )
        found[places[0] if places else name] = caption
    if not ids & set(found):
        raise CaptionError(
            f"{path}: none of {len(captions)} captions matches a file: it names {next(iter(captions))!r}, "
            f"the folder holds {sources[0].id!r}"
        )
    return found


def paired(sources: Sequence[Source], originals: Sequence[Source]) -> dict[str, Source]:
    """The original of each clip: that of the same id, else of the same stem; one clip and one original are a pair.

    Raises:
        VideoError: if no clip has an original.
    """
    if len(sources) == len(originals) == 1:
        return {sources[0].id: originals[0]}
    by_name = {original.stem: original for original in originals} | {original.id: original for original in originals}
    found = {s.id: by_name[name] for s in sources for name in (s.id, s.stem) if name in by_name}
    if not found:
        raise VideoError(
            f"no generated clip has an original of its name: {sources[0].id!r} is generated, {originals[0].id!r} real"
        )
    return found
