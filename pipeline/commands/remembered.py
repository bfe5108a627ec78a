"""What `--set` said in earlier calls for a run: it goes on as it was begun, whatever a later call leaves out."""

import json
from collections.abc import Sequence
from pathlib import Path

from pipeline.config import paths

FILE = paths.SCRATCH / "settings.json"  # in a run: its profile, and `key=value` of all calls


def settings(folder: Path, profile: str) -> list[str]:
    """What earlier calls with this profile set in a run, in their order; nothing of another profile's."""
    if not (folder / FILE).is_file():
        return []
    kept = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return kept["settings"] if kept["profile"] == profile else []


def keep(folder: Path, profile: str, wanted: Sequence[str]) -> None:
    """Keep them for later calls."""
    (folder / FILE).parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"profile": profile, "settings": list(wanted)}, indent=2) + "\n"
    (folder / FILE).write_text(text, encoding="utf-8")


def without(kept: Sequence[str], new: Sequence[str]) -> list[str]:
    """Of the settings kept, those that no new one replaces: of its key, or of one in it."""
    keys = [setting.partition("=")[0] for setting in new]
    return [old for old in kept if not any(f"{old.partition('=')[0]}.".startswith(f"{key}.") for key in keys)]
