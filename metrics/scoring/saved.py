"""Features that were saved by anything, as a side of a distance: npy, npz, safetensors, parquet and csv.

A file holds vectors (n, d), or (n, T, d) of n clips' frames, and the name of each clip, if there are names: vectors of
one name are one clip. A file of `reelbench stats` is one too.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open

from metrics.networks.rules import Resize
from metrics.scoring.measured import COLUMNS, Measured, Provenance
from metrics.scoring.protocol import Protocol

FEATURES, CLIPS = "features", "clip"
SUFFIXES = (".npy", ".npz", ".safetensors", ".parquet", ".csv")


class FeaturesError(ValueError):
    """A file of features that cannot be read; the message names file, field, found and expected."""


def protocol(ddof: int = 1) -> Protocol:
    """The protocol of saved features, which knows nothing of clips."""
    return Protocol("saved features", Resize.SQUASH_BILINEAR, Resize.SQUASH_BICUBIC, ddof, clips=None)


def read_features(path: Path) -> Measured:
    """A side of a distance from its file.

    - npy: an array (n, d) or (n, T, d).
    - npz, safetensors: such an array as `features`, or the only one of that many axes; names as an array of texts
    `clip`
      (npz), or as a list in JSON under `clip` of the metadata (safetensors).
    - parquet, csv: a row for every vector; a column `clip` of names, and the others are numbers, or (parquet) a column
      `features` of lists.

    Raises:
        FeaturesError: if there is no such file, it holds no vectors, or not as many names; or a value is not finite.
    """
    if not path.is_file():
        raise FeaturesError(f"{path}: no such file")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise FeaturesError(f"{path}: expected one of {', '.join(SUFFIXES)}")
    try:
        vectors, names = reader(path)
    except FeaturesError:
        raise
    except (ValueError, OSError, KeyError, SafetensorError) as error:
        raise FeaturesError(f"{path}: cannot be read: {error}") from error
    return _side(path, np.asarray(vectors), names)


def _side(path: Path, vectors: np.ndarray, names: Sequence[str] | None) -> Measured:
    """The vectors as something measured: a row, which is a window of its clip, for each."""
    if vectors.ndim not in (2, 3) or 0 in vectors.shape or vectors.dtype.kind not in "fiu":
        found = f"an array {vectors.shape} of {vectors.dtype}"
        raise FeaturesError(f"{path}: {found}, expected numbers (n, d) or (n, T, d)")
    finite = np.isfinite(vectors).reshape(len(vectors), -1).all(axis=1)
    if not finite.all():
        raise FeaturesError(f"{path}: row {int(np.argmin(finite))} holds NaN or infinity")
    clips = pd.Series([f"{i:05d}" for i in range(len(vectors))] if names is None else list(map(str, names)))
    if len(clips) != len(vectors):
        raise FeaturesError(f"{path}: {len(clips)} names of {len(vectors)} vectors")
    contents = [hashlib.sha256(np.ascontiguousarray(row, np.float64).tobytes()).hexdigest() for row in vectors]
    rows = zip(clips, clips.groupby(clips).cumcount(), contents, strict=True)
    table = pd.DataFrame([(*row, "none", "none", "") for row in rows], columns=COLUMNS)
    width = vectors.shape[-1]
    unknown, described = "not known", f"saved features of width {width}"
    made_by = Provenance({"i3d": unknown}, {"i3d": described}, preparations={"i3d": (unknown, unknown)})
    return Measured(table, vectors, clips.nunique(), [], made_by)


def check_alike(gen: Path, real: Path, sides: Sequence[Measured]) -> None:
    """Refuse sides of unlike width.

    Raises:
        FeaturesError: naming both.
    """
    first, second = (side.features.values.shape[1] for side in sides)
    if first != second:
        raise FeaturesError(f"{gen} has features of width {first}, {real} of {second}: expected those of one network")


Read = tuple[np.ndarray, Sequence[str] | None]


def _npy(path: Path) -> Read:
    return np.load(path, allow_pickle=False), None


def _npz(path: Path) -> Read:
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    names = arrays.pop(CLIPS, None)
    return _the_array(path, arrays), None if names is None else names.tolist()


def _safetensors(path: Path) -> Read:
    with safe_open(path, "np") as file:
        metadata = dict(file.metadata() or {})
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if "rows" in metadata:  # of `reelbench stats`
        return arrays["i3d"], [row["clip"] for row in json.loads(metadata["rows"])]
    return _the_array(path, arrays), json.loads(metadata[CLIPS]) if CLIPS in metadata else None


def _the_array(path: Path, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    if FEATURES in arrays:
        return arrays[FEATURES]
    fitting = [array for array in arrays.values() if array.ndim in (2, 3)]
    if len(fitting) != 1:
        found = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "nothing"
        raise FeaturesError(f"{path}: found {found}, expected one array (n, d) or (n, T, d), or one as {FEATURES!r}")
    return fitting[0]


def _table(path: Path) -> Read:
    texts = {"dtype": {CLIPS: str}, "keep_default_na": False, "na_values": [""]}  # a clip may be called 001 or NA
    table = pd.read_parquet(path) if path.suffix.lower() == ".parquet" else pd.read_csv(path, **texts)
    names = table.pop(CLIPS).fillna("").tolist() if CLIPS in table else None
    if names is not None and "" in names:
        raise FeaturesError(f"{path}: row {names.index('')}, field {CLIPS}: empty, expected a name")
    if FEATURES in table:
        return np.stack([np.asarray(row, np.float64) for row in table[FEATURES]]), names
    others = [name for name in table if table[name].dtype.kind not in "fiu"]
    if others:
        raise FeaturesError(f"{path}: column {others[0]!r} holds no numbers, expected {CLIPS!r} and columns of numbers")
    return table.to_numpy(np.float64), names


_READERS = {".npy": _npy, ".npz": _npz, ".safetensors": _safetensors, ".parquet": _table, ".csv": _table}
