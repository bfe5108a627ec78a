"""The clips of all methods -> features, per-clip metrics and the judge's readings, a folder for each method."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from metrics.reading.sources import Source
from metrics.scoring.extraction import VideoInput
from metrics.scoring.measured import Measured
from metrics.scoring.measuring import Batch, Measurer
from pipeline.clips import ledger
from pipeline.evaluation.evaluated import write
from pipeline.evaluation.readings import COLUMNS, readings_of


def extract(clips: Mapping[str, Path], measurer: Measurer, target: Path) -> None:
    """Write the features of methods below `target`, and nothing else there.

    A method's `features.safetensors` holds i3d (N, 400) of the N scored clips, in the order of the rows of `clips.csv`
    whose `scored` is true; its metadata says what made them. `clips.csv` has a row for every requested clip: the
    ledger's columns, `scored`, `error` (why a generated clip could not be read), `content` and `codec` of its file,
    CLIPSIM and the other per-clip metrics and, for clips of the world's size, the judge's readings.

    Args:
        clips: where each method's clips and ledger are.

    Raises:
        FileNotFoundError: before anything is read, if a method has no ledger.
    """
    entries = {name: _entries(name, folder) for name, folder in clips.items()}
    batches = [_batch(own, clips[name]) for name, own in entries.items()]
    for name, measured in zip(entries, measurer.measure(batches, "features"), strict=True):
        table = _table(entries[name], measured)
        write(target / name, table, measured, measurer.protocol, ledger.about(clips[name]))
    for folder in target.glob("*"):
        if folder.name not in entries:
            shutil.rmtree(folder)


def _entries(name: str, folder: Path) -> list[ledger.Entry]:
    entries = list(ledger.read(folder).values())
    if not entries:
        raise FileNotFoundError(f"{name}: {folder / ledger.FILE} not found or empty: run the generate stage")
    return entries


def _batch(entries: Sequence[ledger.Entry], folder: Path) -> Batch:
    """The clips that were made, and their captions."""
    made = [entry for entry in entries if entry.outcome == ledger.OK]
    inputs = [VideoInput(Source(entry.clip, folder / entry.file)) for entry in made]
    return Batch(inputs, {entry.clip: entry.caption for entry in made if entry.caption})


def _table(entries: Sequence[ledger.Entry], measured: Measured) -> pd.DataFrame:
    """A row for every requested clip, with what was measured of it."""
    table = pd.DataFrame(asdict(entry) for entry in entries).drop(columns="device")  # it is in the metadata
    table["scored"] = table["clip"].isin(measured.table["clip"])
    table["error"] = ["; ".join(why for name, why in measured.errors if name == clip) for clip in table["clip"]]
    own = measured.table.drop(columns=["window", "caption"], errors="ignore")
    table = table.merge(own, on="clip", how="left")
    # the readings in one order, whether they come from the cache or not
    table = table.reindex(columns=[*(name for name in table if name not in COLUMNS), *COLUMNS])
    if not table["objects"].notna().any():
        return table
    names = pd.DataFrame([vars(names) for names in readings_of(table).names()]).add_prefix("named_")
    return pd.concat([table, names], axis=1)
