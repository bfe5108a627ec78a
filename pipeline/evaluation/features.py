"""A method's clips -> features, per-clip metrics and the judge's measurements, by `metrics.scoring.scorer`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

from metrics.hashing import fingerprint, sha256
from metrics.reading.sources import Source
from metrics.scoring.extraction import Job
from metrics.scoring.measured import Measured, Provenance
from metrics.scoring.protocol import Protocol, named
from metrics.scoring.scorer import Scorer
from pipeline.clips import ledger
from pipeline.world import judge as judging
from pipeline.world import scene
from pipeline.world.judge import Readings, judge
from pipeline.world.scene import FRAMES, HEIGHT, WIDTH

TENSORS, TABLE = "features.safetensors", "clips.csv"
_VECTORS = {"velocity": ("velocity_x", "velocity_y")}
_TEXT = (
    *(
        "clip",
        "method",
        "mixture",
        "variant",
        "prompt",
        "prompt_id",
        "caption",
        "weights",
        "fingerprint",
        "outcome",
        "suffix",
    ),
    *("fault", "content", "codec", "decoder"),
)
_NUMBERS = [name for field in fields(Readings) for name in _VECTORS.get(field.name, (field.name,))]


@dataclass(frozen=True)
class JudgeReadings:
    """The judge as one more network: its measurements of clips of the world's size; NaN for others."""

    name: str = "judge"

    @property
    def identity(self) -> str:
        """Hash of the judge's code and of the vocabulary that it knows."""
        return fingerprint([sha256(Path(str(module.__file__))) for module in (judging, scene)])

    def prepare(self, clip: np.ndarray) -> torch.Tensor:
        """The readings, one number each: the judge sits in the worker, so that no clip is handed over."""
        if clip.shape[:3] != (FRAMES, HEIGHT, WIDTH):
            return torch.full((len(_NUMBERS),), torch.nan, dtype=torch.float64)
        readings = judge(clip[None])
        values = [value for field in fields(Readings) for value in np.ravel(getattr(readings, field.name))]
        return torch.tensor(np.array(values, np.float64))

    def features(self, prepared: Sequence[torch.Tensor]) -> list[dict[str, np.ndarray]]:
        """The same by name."""
        return [dict(zip(_NUMBERS, numbers.numpy(), strict=True)) for numbers in prepared]


def extract(clips: Path, scorer: Scorer, folder: Path) -> None:
    """Write the features of a method's clips.

    `features.safetensors` holds i3d (N, 400) of the N scored clips, in the order of the rows of `clips.csv` whose
    `scored` is true; its metadata says what made them. `clips.csv` has a row for every requested clip: the ledger's
    columns, `scored`, `fault` (why a generated clip could not be read), `content` and `codec` of its file, CLIPSIM and
    the other per-clip metrics and, for clips of the world's size, the judge's readings.

    Raises:
        FileNotFoundError: if the method has no ledger.
    """
    entries = list(ledger.read(clips).values())
    if not entries:
        raise FileNotFoundError(f"{clips / ledger.FILE} not found or empty: run the generate stage")
    made = [entry for entry in entries if entry.outcome == ledger.OK]
    jobs = [Job(Source(entry.clip, clips / entry.file)) for entry in made]
    measured = scorer.measure(jobs, folder.name, {entry.clip: entry.caption for entry in made if entry.caption})
    table = pd.DataFrame(asdict(entry) for entry in entries)
    table["scored"] = table["clip"].isin(measured.table["clip"])
    table["fault"] = ["; ".join(why for name, why in measured.faults if name == clip) for clip in table["clip"]]
    own = measured.table.drop(columns=["window", "caption"], errors="ignore")
    table = table.merge(own, on="clip", how="left")
    table = table.reindex(columns=[*table, *(name for name in _NUMBERS if name not in table)])
    if table["objects"].notna().any():
        names = pd.DataFrame([vars(names) for names in readings_of(table).names()]).add_prefix("named_")
        table = pd.concat([table, names], axis=1)
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / TABLE, index=False)
    about = json.loads((clips / ledger.ABOUT).read_text())
    provenance = measured.provenance
    words = {
        "protocol": scorer.protocol.name, "clips": json.dumps(vars(scorer.protocol.clips)),
        "weights": json.dumps(dict(provenance.weights)), "networks": json.dumps(dict(provenance.networks)),
        "parameters": str(about["parameters"]),
    }  # fmt: skip
    save_file({"i3d": np.ascontiguousarray(measured.logits, np.float32)}, folder / TENSORS, words)


@dataclass(frozen=True)
class Evaluated:
    """One method: the table of all requested clips, what was measured of the scored ones, and what made them."""

    name: str
    table: pd.DataFrame
    measured: Measured
    protocol: Protocol
    parameters: int

    @property
    def counts(self) -> dict[str, int]:
        """Clips requested, generated and scored: a failed clip stays in the first."""
        generated = int((self.table.outcome == ledger.OK).sum())
        return {"requested": len(self.table), "generated": generated, "scored": self.measured.scored}


def read(folder: Path) -> Evaluated:
    """What `extract` wrote."""
    table = _read_table(folder / TABLE)
    with safe_open(folder / TENSORS, "np") as file:
        words, logits = file.metadata(), file.get_tensor("i3d")
    return Evaluated(folder.name, table, _measured(table, logits, words), _protocol(words), int(words["parameters"]))


def _read_table(path: Path) -> pd.DataFrame:
    """clips.csv with texts as they are (a clip may be called 001 or NA), blank numbers as NaN."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name in (name for name in table if name not in _TEXT and not name.startswith("named_")):
        table[name] = table[name] == "True" if name == "scored" else pd.to_numeric(table[name].mask(table[name] == ""))
    return table


def _protocol(words: Mapping[str, str]) -> Protocol:
    base = named(words["protocol"])
    return base.with_clips(type(base.clips)(**json.loads(words["clips"])))


def _measured(table: pd.DataFrame, logits: np.ndarray, words: Mapping[str, str]) -> Measured:
    provenance = Provenance(json.loads(words["weights"]), json.loads(words["networks"]))
    rows = table[table.scored].assign(window=0).reset_index(drop=True)
    faults = [(str(row["clip"]), row.fault or row.outcome) for _, row in table[~table.scored].iterrows()]
    return Measured(rows, logits, len(table), faults, provenance)


def readings_of(table: pd.DataFrame) -> Readings:
    """The judge's measurements of the rows of a table that `extract` wrote; rows that were not scored show nothing."""
    columns = {f.name: table[f.name].to_numpy(float) for f in fields(Readings) if f.name not in _CONVERTED}
    return Readings(
        **columns,
        velocity=table[list(_VECTORS["velocity"])].to_numpy(float),
        objects=table["objects"].fillna(0).to_numpy(int),
        presence=table["presence"].fillna(0.0).to_numpy(float),
        steady=table["steady"].fillna(0.0).to_numpy(float) > 0,
    )


_CONVERTED = ("velocity", "objects", "presence", "steady")
