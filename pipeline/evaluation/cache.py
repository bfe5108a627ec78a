"""Results on disk, by what they were computed from: what has not changed is not computed again."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from metrics.digests import digest


class ResultCache:
    """Results as JSON, whose floats are exact, one file each.

    Args:
        folder: where the files are kept; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def get(self, key: list[Any], compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What was computed under the key, or is now: dicts, lists, texts and numbers, read back from JSON either way.

        A damaged file counts as absent.
        """
        path = self.folder / f"{digest(key)}.json" if self.folder else None
        if path and path.is_file():
            try:
                return json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                pass
        text = json.dumps(compute(), default=lambda number: number.item())  # numpy's numbers
        if path:
            _write(path, text)
        return json.loads(text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(f".{os.getpid()}.tmp")  # a reader sees all of it or none
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
