"""Scoring a folder of videos, from files to values: what `reelbench score` is made of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import pandas as pd

from metrics.networks.features import Network, Recorded
from metrics.reading.captions import read_captions
from metrics.reading.matching import matched, paired
from metrics.reading.sources import Source, find
from metrics.scoring.cache import FeatureCache
from metrics.scoring.catalogue import METRICS, checked
from metrics.scoring.clusters import PROMPT, clusters_of
from metrics.scoring.extraction import Extracted, VideoInput
from metrics.scoring.measured import Measured, Provenance, read_stats
from metrics.scoring.measuring import Batch, Measurer, collect
from metrics.scoring.metric import Sample
from metrics.scoring.protocol import Protocol
from metrics.scoring.result import ScoreResult, result_of
from metrics.scoring.summary import summarise
from metrics.statistics.bootstrap import Uncertainty


@dataclass(frozen=True)
class Scorer:
    """How folders are scored: networks, protocol, cache, decoder and uncertainty; see `Extractor` for the others.

    networks: those that the wanted metrics need, I3D and the dual encoder resizing by the protocol's rules.
    """

    networks: Sequence[Network]
    protocol: Protocol
    cache: FeatureCache
    uncertainty: Uncertainty
    decoder: str | None = None
    batch: int = 2
    workers: int | None = None

    @property
    def provenance(self) -> Provenance:
        """What every number of this scorer was made by."""
        return self.measurer.provenance

    @property
    def measurer(self) -> Measurer:
        """The networks, and how they are run."""
        return Measurer(self.networks, self.protocol, self.cache, self.decoder, self.batch, self.workers)

    def real(self, folder: Path) -> Measured:
        """The real clips below a folder, as I3D sees them."""
        return collect(self._i3d_of(find(folder)), self.provenance)

    def stats(self, path: Path) -> Measured:
        """The real clips that a file of statistics keeps."""
        recipe = next(network.recipe for network in self.networks if isinstance(network, Recorded))
        return read_stats(path, self.protocol, recipe)

    def score(
        self,
        names: Sequence[str],
        gen: Path,
        real: Path | None = None,
        stats: Path | None = None,
        captions: Path | None = None,
        cluster: str = PROMPT,
    ) -> tuple[ScoreResult, pd.DataFrame]:
        """The named metrics of the clips below a folder, and a table with a row per window; see `sample`."""
        sample = self.sample(names, gen, real, stats, captions, cluster)
        return result_of(summarise(names, sample), sample, cluster), sample.gen.table

    def sample(
        self,
        names: Sequence[str],
        gen: Path,
        real: Path | None = None,
        stats: Path | None = None,
        captions: Path | None = None,
        cluster: str = PROMPT,
        real_side: Measured | None = None,
    ) -> Sample:
        """What the named metrics need of the clips below a folder.

        Args:
            real: folder of real clips, or `stats`, a file that `write_stats` wrote. captions: see `read_captions`.
            cluster: which clips are not independent, see `clusters_of`. real_side: the real clips, where they have been
            measured.

        Raises:
            ValueError: before anything is decoded, if a folder holds no video, captions match no file, or a metric
                lacks what it needs.
        """
        needs = {METRICS[name].needs for name in checked(names)}
        sources = find(gen)
        originals = find(real) if real else []
        compared = [name for name in names if METRICS[name].needs == "pairs"]
        partners = paired(sources, originals) if compared else None
        texts = matched(read_captions(captions), sources, captions) if captions else None
        clusters = clusters_of(cluster, captions, texts, sources)
        if stats and "real" in needs and real_side is None:
            real_side = self.stats(stats)
        seen: list[tuple[Extracted, None]] = []
        inputs = [VideoInput(source, (partners or {}).get(source.id), compared) for source in sources]
        measured = self.measure(inputs, "generated", texts, seen)
        if partners is not None:
            measured = _noting_alone(measured, inputs)
        if originals and "real" in needs and real_side is None:
            met = {original.source for original, _ in seen}
            rest = self._i3d_of([source for source in originals if source not in met])
            real_side = collect(chain(seen, rest), self.provenance)
        clustered = measured.clustered(clusters and measured.table["clip"].map(clusters))
        return Sample(clustered, real_side, self.protocol, self.uncertainty)

    def measure(
        self,
        inputs: Sequence[VideoInput],
        title: str,
        captions: Mapping[str, str] | None = None,
        originals: list[tuple[Extracted, None]] | None = None,
    ) -> Measured:
        """What the networks make of videos.

        Args:
            captions: by clip id; those of no clip count as clips that lack. originals: takes the inputs' partners, each
                once, as I3D sees them.
        """
        videos = _noting(self.measurer.extract(inputs, title), originals)
        return self.measurer.reduce(videos, Batch(inputs, captions))

    def _i3d_of(self, sources: Sequence[Source]) -> Iterator[tuple[Extracted, Extracted | None]]:
        i3d = [network for network in self.networks if network.name == "i3d"]
        return replace(self.measurer, networks=i3d).extract([VideoInput(source) for source in sources], "real")


def _noting_alone(measured: Measured, inputs: Sequence[VideoInput]) -> Measured:
    """The same with an error for each clip that has nothing to be compared with."""
    alone = [(video.source.id, "has no original of its name") for video in inputs if video.partner is None]
    return replace(measured, errors=[*measured.errors, *alone])


def _noting(
    extracted: Iterator[tuple[Extracted, Extracted | None]], originals: list[tuple[Extracted, None]] | None
) -> Iterator[tuple[Extracted, Extracted | None]]:
    """The same videos; their originals are noted on the way, those of several clips once."""
    met: set[Source] = set()
    for own, original in extracted:
        if original is not None and originals is not None and original.source not in met:
            met.add(original.source)
            originals.append((original, None))
        yield own, original
