"""What was measured of a set of clips: one row per scored window, one feature vector each, and what fell out.

The same object comes from a folder of videos, from a file of reference statistics, and from the features stage. Loads
nothing heavy: `metrics.scoring.measuring` measures.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from metrics.digests import digest_of_text
from metrics.reading.rule import ClipRule
from metrics.scoring.protocol import Protocol
from metrics.statistics.sides import Features

STATS_SCHEMA = "reelbench.stats/3"


class StatsError(ValueError):
    """A file of reference statistics that does not fit; the message names file, field, found and expected."""


@dataclass(frozen=True)
class Provenance:
    """What made the numbers.

    weights: sha256 by network (i3d, clip, flow, pixels). networks: what they are, by the same names. preparations: how
    frames are resized for a network, and the range of their values, where its protocol does not say that. environment:
    number of the code, libraries and device, by the same names and for "pairs" of clips; what is not there was not
    recorded.
    """

    weights: Mapping[str, str]
    networks: Mapping[str, str]
    environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    preparations: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """One side of a comparison.

    table: one row per scored window: clip, window, content, codec, decoder, size of the frames ("1280x720"), and a
    column for each per-clip metric; `caption` where there are captions, `original` (its digest) where there are pairs,
    `cluster` where clips are not independent of one another: its name, alike for clips of one prompt, none for a clip
    by itself; without `size` where nothing was decoded for it. logits: (rows, 400) of I3D, (rows, d) or, by frames,
    (rows, T, d) of a network in its place, or (rows, 0) where none was run. requested: clips that were asked for.
    errors: (clip, reason) of those that were not scored, or not by every metric.
    """

    table: pd.DataFrame
    logits: np.ndarray
    requested: int
    errors: Sequence[tuple[str, str]]
    provenance: Provenance

    @property
    def scored(self) -> int:
        """Clips (not windows) that were scored."""
        return int(self.table["clip"].nunique())

    @property
    def groups(self) -> np.ndarray:
        """The clip, 0 … scored - 1, of every row."""
        return pd.factorize(self.table["clip"])[0]

    @cached_property
    def features(self) -> Features:
        """The logits, or the vectors of all frames, with the clip that each belongs to."""
        vectors = self.logits.astype(np.float64)
        if vectors.ndim == 3:
            groups = self.groups.repeat(vectors.shape[1])
            return Features(vectors.reshape(-1, vectors.shape[2]), groups, self.clusters)
        return Features(vectors, self.groups, self.clusters)

    @cached_property
    def clusters(self) -> np.ndarray | None:
        """The cluster 0 … of every clip 0 … scored - 1; None where each is its own."""
        if "cluster" not in self.table:
            return None
        of_clips = self.table.drop_duplicates("clip")  # in the order of `groups`
        alone = of_clips["clip"].map("clip {}".format)
        return pd.factorize(of_clips["cluster"].map("cluster {}".format, na_action="ignore").fillna(alone))[0]

    def clustered(self, names: pd.Series | None) -> "Measured":
        """The same with the names of the rows' clusters; None for clips that are independent."""
        table = self.table.drop(columns="cluster", errors="ignore")
        return replace(self, table=table if names is None else table.assign(cluster=names.to_numpy()))

    @cached_property
    def content(self) -> str:
        """Digest of the scored clips' content, whatever their order."""
        names = sorted(map("{}/{}".format, self.table["content"], self.table["window"]))
        return digest_of_text("\n".join(names))

    @property
    def codec(self) -> str:
        """The codecs of the scored clips' files."""
        return _each_once(self.table["codec"])

    @property
    def decoder(self) -> str:
        """What decoded them, with versions."""
        return _each_once(self.table["decoder"])


def _each_once(names: Iterable[str]) -> str:
    return "+".join(sorted(set(names))) or "none"


COLUMNS = ["clip", "window", "content", "codec", "decoder", "size"]


def write_stats(real: Measured, protocol: Protocol, recipe: Mapping[str, str], path: Path) -> None:
    """Keep what is needed to compare with a real set later: features, the clips they belong to, and how they were made.

    Args:
        recipe: of the I3D network (weights, precision, resize rule, code).

    Raises:
        StatsError: if no clip was scored.
    """
    if not len(real.table):
        raise StatsError("no clip of the real set could be scored: there is nothing to write")
    metadata = {
        "schema": STATS_SCHEMA,
        "protocol": protocol.name,
        "clips": json.dumps(vars(protocol.clips)),
        "recipe": json.dumps(recipe),
        "environment": json.dumps(real.provenance.environment["i3d"]),
        "requested": str(real.requested),
        "errors": json.dumps(list(real.errors)),
        "rows": real.table[COLUMNS].to_json(orient="records"),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.tmp")
    content = save({"i3d": np.ascontiguousarray(real.logits, np.float32)}, metadata)
    aside.write_bytes(content)  # with the umask's mode: `save_file` lets nobody else read it
    aside.replace(path)


def read_stats(path: Path, protocol: Protocol, recipe: Mapping[str, str]) -> Measured:
    """The real side that `write_stats` kept, on this machine or another.

    Raises:
        StatsError: if it is no such file, or was made by another protocol, rule for clips or network.
    """
    if not path.is_file():
        raise StatsError(f"{path}: no such file")
    try:
        with safe_open(path, "np") as file:
            metadata, logits = dict(file.metadata() or {}), file.get_tensor("i3d")
    except (SafetensorError, OSError) as error:
        raise StatsError(f"{path}: no file of statistics that `reelbench stats` wrote: {error}") from error
    _check_made_alike(path, metadata, protocol, recipe)
    errors = [(name, reason) for name, reason in json.loads(metadata["errors"])]
    provenance = Provenance(
        {"i3d": recipe["weights"]}, {"i3d": recipe["network"]}, {"i3d": json.loads(metadata["environment"])}
    )
    table = pd.DataFrame(json.loads(metadata["rows"]), columns=COLUMNS)
    return Measured(table, logits, int(metadata["requested"]), errors, provenance)


def _check_made_alike(path: Path, metadata: Mapping[str, str], protocol: Protocol, recipe: Mapping[str, str]) -> None:
    """Refuse statistics of another schema, protocol, rule for clips or network; libraries and device may differ."""
    if metadata.get("schema") != STATS_SCHEMA:
        raise StatsError(
            f"{path}: schema is {metadata.get('schema')!r}, expected {STATS_SCHEMA!r}: make the statistics again"
        )
    rule = ClipRule(**json.loads(metadata["clips"]))
    theirs = {"protocol": metadata["protocol"], "clips": str(rule), **json.loads(metadata["recipe"])}
    ours = {"protocol": protocol.name, "clips": str(protocol.clips), **recipe}
    for name, made in theirs.items():
        if made != ours[name]:
            raise StatsError(f"{path}: {name} is {made}, this run's is {ours[name]}: make the statistics again")
