"""The ledger of a method: one JSON line for every clip that was asked for, with its outcome.

Lines are appended as clips are finished, so a run that is killed loses at most the line it was writing, which is
dropped when the ledger is read. For a clip with several lines the last one counts.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

OK = "ok"
FILE = "ledger.jsonl"
ABOUT = "method.json"  # beside the ledger: what made the clips


@dataclass(frozen=True)
class Entry:
    """What became of one requested clip.

    clip: its id and file stem. mixture: id of the mixture, "" where there is none. seed: of the initial noise.
    variant: what tells clips of one mixture and seed apart (an interpolation step), else "". prompt: the text, or
    a description of the embedding. prompt_id: of the prompt in the prompt table, "" where no single one stands behind
    the clip. caption: what the clip is scored against (the guide prompt). fingerprint: of all that makes the clip
    besides mixture and seed. seconds: of sampling, its share of the batch. outcome: "ok", or the error. suffix: of the
    file, whose stem is the clip's id. frames: of a clip that was made here, 0 for a file that was imported. device:
    that sampled it.
    """

    clip: str
    method: str
    mixture: str
    seed: int
    variant: str
    prompt: str
    caption: str
    weights: str
    fingerprint: str
    seconds: float
    outcome: str
    suffix: str = ".mkv"
    frames: int = 0
    prompt_id: str = ""
    device: str = ""

    @property
    def file(self) -> str:
        """Name of the clip's file."""
        return f"{self.clip}{self.suffix}"


def about(folder: Path) -> dict[str, Any]:
    """What made the clips of a folder: method, asked, weights, parameters, device, fps, origin, made_by; empty if not
    known."""
    try:
        return json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def append(folder: Path, entry: Entry) -> None:
    """Add a line to the ledger of a folder of clips."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")


def read(folder: Path) -> dict[str, Entry]:
    """Entries by clip id, in the order of their first line; empty if there is no ledger."""
    path = folder / FILE
    if not path.is_file():
        return {}
    entries: dict[str, Entry] = {}
    for line in path.read_text(encoding="utf-8").split("\n"):
        try:
            entry = Entry(**json.loads(line))
        except (json.JSONDecodeError, TypeError):
            continue  # the line that a kill cut short
        entries[entry.clip] = entry
    return entries


def rewrite(folder: Path, entries: list[Entry]) -> None:
    """Replace the ledger by exactly these entries, in this order."""
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f".{FILE}.tmp"
    aside.write_text("".join(json.dumps(asdict(e), ensure_ascii=False) + "\n" for e in entries), encoding="utf-8")
    aside.replace(folder / FILE)
