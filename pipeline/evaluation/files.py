"""What the features and reference stages hand to evaluate: a file of I3D features, and a table of clips beside it.

The reference, whole; of methods `pipeline.evaluation.evaluated` says what their files hold.

Equal content gives equal bytes: the metadata beside the features is one text, because safetensors keeps several in no
fixed order.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors import safe_open
from safetensors.numpy import save_file

from metrics.digests import digest
from metrics.hashing import sha256
from metrics.reading.rule import ClipRule
from metrics.scoring.measured import Measured, Provenance
from metrics.scoring.protocol import Protocol, named

TENSORS, TABLE = "features.safetensors", "clips.csv"
_TEXT = (
    *("clip", "method", "mixture", "variant", "prompt", "prompt_id", "caption", "weights", "fingerprint", "outcome"),
    *("suffix", "error", "content", "codec", "decoder", "size"),
)


@dataclass(frozen=True)
class Reference:
    """The real side of FVD and KVD. content: hash of the files."""

    measured: Measured
    protocol: Protocol
    content: str = ""


def write_reference(folder: Path, table: pd.DataFrame, measured: Measured, protocol: Protocol) -> None:
    """Keep the reference small: features (N, 400) of half precision, six digits of what else was measured."""
    origin = {"codec": measured.codec, "decoder": measured.decoder}
    write(folder, table, measured.logits.astype(np.float16), metadata_of(measured, protocol) | origin, "%.6g")


def read_reference(folder: Path) -> Reference:
    """What `write_reference` wrote.

    Raises:
        FileNotFoundError: if there is nothing.
    """
    logits, metadata = read_tensors(folder, "reference")
    table = read_table(folder / TABLE).assign(window=0, codec=metadata["codec"], decoder=metadata["decoder"])
    measured = Measured(table, logits, len(table), [], provenance_of(metadata))
    return Reference(measured, protocol_of(metadata), content_of(folder))


def write(folder: Path, table: pd.DataFrame, logits: np.ndarray, metadata: dict[str, Any], digits: str = "") -> None:
    """The two files of a folder. logits: (N, 400). metadata: what made them. digits: format of numbers in the table."""
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / TABLE, index=False, float_format=digits or None)
    save_file({"i3d": np.ascontiguousarray(logits)}, folder / TENSORS, {"about": json.dumps(metadata, sort_keys=True)})


def read_tensors(folder: Path, stage: str) -> tuple[np.ndarray, dict[str, Any]]:
    """Features (N, 400) and the metadata beside them.

    Raises:
        FileNotFoundError: naming the stage that makes them, if there is no such file.
    """
    if not (folder / TENSORS).is_file():
        raise FileNotFoundError(f"{folder / TENSORS} not found: run the {stage} stage")
    with safe_open(folder / TENSORS, "np") as file:
        return file.get_tensor("i3d"), json.loads(file.metadata()["about"])


def read_table(path: Path) -> pd.DataFrame:
    """clips.csv with texts as they are (a clip may be called 001 or NA), blank numbers as NaN."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name in (name for name in table if name not in (*_TEXT, "scored") and not name.startswith("named_")):
        table[name] = pd.to_numeric(table[name].mask(table[name] == ""))
    return table


def metadata_of(measured: Measured, protocol: Protocol) -> dict[str, Any]:
    """What made the features, as JSON can hold it: `protocol_of` and `provenance_of` read it."""
    made_by = measured.provenance
    made_of = {"weights": dict(made_by.weights), "networks": dict(made_by.networks)}
    made_in = {name: dict(own) for name, own in made_by.environment.items()}
    return {"protocol": protocol.name, "clips": vars(protocol.clips), **made_of, "environment": made_in}


def protocol_of(metadata: Mapping[str, Any]) -> Protocol:
    """The protocol in the metadata beside features."""
    return named(metadata["protocol"]).with_clips(ClipRule(**metadata["clips"]))


def provenance_of(metadata: Mapping[str, Any]) -> Provenance:
    """Weights, networks and, if it was recorded, environment in the metadata beside features."""
    return Provenance(metadata["weights"], metadata["networks"], metadata.get("environment", {}))


def content_of(folder: Path) -> str:
    """Digest of both files."""
    return digest([sha256(folder / name) for name in (TENSORS, TABLE)])
