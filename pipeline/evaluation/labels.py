"""Labels in the judge's place: whether each clip of a mixture shows it, said by people or by a vision-language model.

A CSV with a row for every clip: `method`, `clip` (both as in its ledger) and `shown`, 1 or 0. Other columns are left
alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from metrics.hashing import sha256
from pipeline.clips.ledger import OK
from pipeline.evaluation.evaluated import Evaluated

COLUMNS = ("method", "clip", "shown")
FLAG = "labels, not the judge"


class LabelError(ValueError):
    """A file of labels that cannot be used; the message names file, row and field, found and expected."""


@dataclass(frozen=True)
class Labels:
    """shown: by method and clip. content: digest of the file."""

    path: Path
    shown: dict[tuple[str, str], bool]
    content: str

    @classmethod
    def read(cls, path: Path) -> "Labels":
        """The labels of a file.

        Raises:
            LabelError: if there is no such file, it lacks a column, a value is no 0 or 1, or a clip is there twice.
        """
        if not path.is_file():
            raise LabelError(f"{path}: no such file of labels")
        table = _table(path)
        shown: dict[tuple[str, str], bool] = {}
        for line, (method, clip, value) in enumerate(table[list(COLUMNS)].itertuples(index=False, name=None), start=2):
            if value not in ("0", "1"):
                raise LabelError(f"{path}, line {line}, field shown: found {value!r}, expected 0 or 1")
            if (method, clip) in shown:
                raise LabelError(f"{path}, line {line}: {clip} of {method} is there already, expected one line a clip")
            shown[method, clip] = value == "1"
        return cls(path, shown, sha256(path)[:12])

    def check(self, methods: Sequence[Evaluated]) -> None:
        """Refuse labels that are not those of these methods' clips of mixtures.

        Raises:
            LabelError: naming a clip without a label, or a label without a clip, and how many there are.
        """
        tables = {one.name: _of_mixtures(one) for one in methods}
        asked = {(name, clip) for name, own in tables.items() for clip in own["clip"]}
        made = {(name, clip) for name, own in tables.items() for clip in own.loc[own.outcome == OK, "clip"]}
        has = set(self.shown)
        for left, said in ((made - has, "no label for"), (has - asked, "a label, but no clip:")):
            if left:
                method, clip = min(left)
                raise LabelError(f"{self.path}: {said} {clip} of {method} ({len(left)} in all)")

    def verdicts(self, method: Evaluated) -> list[dict[str, Any]]:
        """Whether each requested clip of a mixture shows it, a row each; one that was not made shows nothing."""
        own = _of_mixtures(method)
        return [
            {"method": method.name, "mixture": mixture, "seed": seed, "clip": clip}
            | {"success": outcome == OK and self.shown.get((method.name, clip), False), "by": self.by}
            for mixture, seed, clip, outcome in own[["mixture", "seed", "clip", "outcome"]].itertuples(index=False)
        ]

    @property
    def by(self) -> str:
        """Whose verdicts they are, in a word and the file's digest."""
        return f"labels {self.content}"


def _table(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, UnicodeDecodeError) as error:  # pandas' own errors are ValueErrors
        raise LabelError(f"{path}: no CSV: {error}") from error
    if missing := [name for name in COLUMNS if name not in table]:
        raise LabelError(f"{path}: no column {', '.join(missing)}; found {', '.join(table)}")
    return table


def _of_mixtures(method: Evaluated) -> pd.DataFrame:
    return method.table[method.table.mixture != ""]
