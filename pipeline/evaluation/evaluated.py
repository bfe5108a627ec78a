"""One method as evaluate sees it, and how it lies on disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from metrics.scoring.measured import Measured
from metrics.scoring.protocol import Protocol
from pipeline.clips import ledger
from pipeline.config import paths
from pipeline.evaluation import files


@dataclass(frozen=True)
class Evaluated:
    """One method: the table of all requested clips, what was measured of the scored ones, and what made them.

    asked: what it makes clips of, "prompts", "mixtures" or "videos". device: that it ran on. content: of the files.
    """

    name: str
    table: pd.DataFrame
    measured: Measured
    protocol: Protocol
    parameters: int
    asked: str = ""
    device: str = ""
    content: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """Clips requested, generated and scored: a failed clip stays in the first."""
        generated = int((self.table.outcome == ledger.OK).sum())
        return {"requested": len(self.table), "generated": generated, "scored": self.measured.scored}


def write(folder: Path, table: pd.DataFrame, measured: Measured, protocol: Protocol, about: Mapping[str, Any]) -> None:
    """Keep a method's features (N, 400) of the N scored clips, in the order of the rows whose `scored` is true, and the
    table; `about` is what its method.json says."""
    own = {"parameters": about["parameters"], "asked": about.get("asked", ""), "device": about.get("device", "")}
    files.write(folder, table, measured.logits.astype(np.float32), files.metadata_of(measured, protocol) | own)


def read(folder: Path) -> Evaluated:
    """What `write` wrote.

    Raises:
        FileNotFoundError: if there is nothing.
    """
    logits, metadata = files.read_tensors(folder, "features")
    table = files.read_table(folder / files.TABLE)
    table["scored"] = table["scored"] == "True"
    rows = table[table.scored].assign(window=0).reset_index(drop=True)
    errors = [(str(row["clip"]), row.error or row.outcome) for _, row in table[~table.scored].iterrows()]
    measured = Measured(rows, logits, len(table), errors, files.provenance_of(metadata))
    own = {key: metadata[key] for key in ("parameters", "asked", "device")}
    return Evaluated(folder.name, table, measured, files.protocol_of(metadata), **own, content=files.content_of(folder))


def reference(folder: Path | None) -> files.Reference:
    """The real side of FVD and KVD: the features of imported videos in a folder, or what the reference stage made.

    Raises:
        FileNotFoundError: if there is nothing.
    """
    if folder is None:
        return files.read_reference(paths.REFERENCE)
    real = read(folder)
    return files.Reference(real.measured, real.protocol, real.content)
