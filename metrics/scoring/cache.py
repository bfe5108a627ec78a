"""Features on disk, by content: what a network made of a clip is computed once, whatever is scored afterwards."""

import os
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save


class FeatureCache:
    """Arrays and a few texts by key, one safetensors file each.

    Args:
        folder: where the files are kept; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def get(self, key: str) -> tuple[dict[str, np.ndarray], dict[str, str]] | None:
        """What was put under the key, or None; a damaged file counts as absent."""
        if self.folder is None or not (path := self._path(key)).is_file():
            return None
        try:
            with safe_open(path, "np") as file:
                return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
        except (SafetensorError, OSError):
            return None

    def put(self, key: str, arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
        """Keep arrays and metadata; a reader sees all of them or none."""
        if self.folder is None:
            return
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(f".{os.getpid()}.tmp")  # another process may be writing the same
        content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, metadata)
        aside.write_bytes(content)  # with the umask's mode: `save_file` lets nobody else read it
        aside.replace(path)

    def _path(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / key[:2] / f"{key}.safetensors"
