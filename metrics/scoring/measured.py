"""What was measured of a set of clips: one row per scored window, one feature vector each, and what fell out.

The same object comes from a folder of videos, from a file of reference statistics, and from the features stage. Loads
nothing heavy: `metrics.scoring.measuring` measures.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from metrics.reading.rule import ClipRule
from metrics.scoring.protocol import Protocol
from metrics.statistics.sides import Features

STATS_SCHEMA = "reelbench.stats/2"


class StatsError(ValueError):
    """A file of reference statistics that does not fit; the message names file, field, found and expected."""


@dataclass(frozen=True)
class Provenance:
    """What made the numbers.

    weights: sha256 by network (i3d, clip, flow). networks: what they are, by the same names. preparations: how frames
    are resized for a network, and the range of their values, where its protocol does not say that.
    """

    weights: Mapping[str, str]
    networks: Mapping[str, str]
    preparations: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """One side of a comparison.

    table: one row per scored window: clip, window, content, codec, decoder, and a column for each per-clip metric;
    `caption` where there are captions, `original` (its digest) where there are pairs, `cluster` where clips are not
    independent of one another: its name, alike for clips of one prompt, none for a clip by itself. logits: (rows, 400)
    of I3D, (rows, d) or, by frames, (rows, T, d) of a network in its place, or (rows, 0) where none was run. requested:
    clips that were asked for. errors: (clip, reason) of those that were not scored, or not by every metric.
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
        return hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]

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


COLUMNS = ["clip", "window", "content", "codec", "decoder"]


def write_stats(real: Measured, protocol: Protocol, identity: str, path: Path) -> None:
    """Keep what is needed to compare with a real set later: features, the clips they belong to, and how they were made.

    Args:
        identity: of the I3D network (weights, precision, resize rule, code).

    Raises:
        StatsError: if no clip was scored.
    """
    if not len(real.table):
        raise StatsError("no clip of the real set could be scored: there is nothing to write")
    metadata = {
        "schema": STATS_SCHEMA,
        "protocol": protocol.name,
        "clips": json.dumps(vars(protocol.clips)),
        "identity": identity,
        "weights": real.provenance.weights["i3d"],
        "network": real.provenance.networks["i3d"],
        "requested": str(real.requested),
        "errors": json.dumps(list(real.errors)),
        "rows": real.table[COLUMNS].to_json(orient="records"),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.tmp")
    save_file({"i3d": np.ascontiguousarray(real.logits, np.float32)}, aside, metadata)
    aside.replace(path)


def read_stats(path: Path, protocol: Protocol, identity: str) -> Measured:
    """The real side that `write_stats` kept.

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
    _check_made_alike(path, metadata, protocol, identity)
    errors = [(name, reason) for name, reason in json.loads(metadata["errors"])]
    provenance = Provenance({"i3d": metadata["weights"]}, {"i3d": metadata["network"]})
    table = pd.DataFrame(json.loads(metadata["rows"]), columns=COLUMNS)
    return Measured(table, logits, int(metadata["requested"]), errors, provenance)


def _check_made_alike(path: Path, metadata: Mapping[str, str], protocol: Protocol, identity: str) -> None:
    """Refuse statistics of another schema, protocol, rule for clips or network."""
    if metadata.get("schema") != STATS_SCHEMA:
        raise StatsError(
            f"{path}: schema is {metadata.get('schema')!r}, expected {STATS_SCHEMA!r}: make the statistics again"
        )
    rule = ClipRule(**json.loads(metadata["clips"]))
    theirs = {"protocol": metadata["protocol"], "clips": str(rule), "identity": metadata["identity"]}
    ours = {"protocol": protocol.name, "clips": str(protocol.clips), "identity": identity}
    for key, made in theirs.items():
        if made != ours[key]:
            raise StatsError(f"{path}: {key} is {made}, this run's is {ours[key]}: make the statistics again")
