"""Samples and judges every step of the interpolation, to see whether any of them shows a mixture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from metrics.progress import each, say
from metrics.reading.errors import VideoError
from metrics.reading.video import read_all
from pipeline.clips import ledger
from pipeline.clips.generation import generate
from pipeline.clips.superseded import Superseded
from pipeline.config.folders import replaced
from pipeline.config.params import Oracle, Params
from pipeline.evaluation.naming import world_mixture
from pipeline.evaluation.readings import COLUMNS as READINGS
from pipeline.evaluation.readings import numbers_of, readings_of
from pipeline.richspace.search import search_mixture
from pipeline.sweeps.steps import NAME, context_of, every_step, judged, step_of
from pipeline.world.judge import judge
from pipeline.world.mixtures import WorldMixture
from pipeline.world.scene import FRAMES, HEIGHT, WIDTH
from pipeline.world.verdicts import verdict

COLUMNS = (
    *("mixture", "attribute", "k", "optimum", "seed", "step", "scored"),
    *("present_a", "present_b", "shared", "one_object", "success", "position"),
)
_DIGITS = 4  # of positions


def run(params: Params, scratch: Path, target: Path) -> None:
    """Leave a table of verdicts as `target`, in a folder of its own, which is replaced.

    A row for each mixture, seed and step 0 … k, and one on the guide prompt, whose `step` is blank. attribute: that is
    mixed. optimum: RichSpace's step of k. scored: whether there is a clip of the world's size; one that failed or
    cannot be decoded shows nothing. present_a, present_b, shared, one_object, success: as in
    `pipeline.world.verdicts.Verdict`. position: as measured between the parts, 0 at a, 1 at b; blank where it cannot
    be. A set without mixtures, or that the judge does not know, has no row.

    Killed and started again, it goes on with the clips where it was.

    Args:
        scratch: folder of the clips; safe to remove.

    Raises:
        ValueError: if the judge cannot name a mixture's parts, or no clip could be made.
    """
    wanted = params.richspace.oracle
    rows = [] if wanted is None else _rows(params, wanted, scratch)
    with replaced(target.parent) as aside:
        pd.DataFrame(rows, columns=list(COLUMNS)).astype({"step": "Int64"}).to_csv(aside / target.name, index=False)


def _rows(params: Params, wanted: Oracle, scratch: Path) -> list[dict[str, Any]]:
    context = context_of(params, wanted)
    mixtures = judged(context)
    if not mixtures:
        say(f"{NAME}: the set {context.set!r} has no mixture of two parts that the judge knows: nothing is sampled")
        return []
    named = [(mixture, world_mixture(mixture, context.inputs.tables[0])) for mixture in mixtures]
    method, clips, generation = every_step(context, wanted.k), scratch / "clips", params.generate
    entries = generate(NAME, method, clips, Superseded(scratch / "superseded"), generation.batch, generation.workers)
    rows: list[dict[str, Any]] = []
    for mixture, parts in each(named, f"{NAME}, judged", "mixtures"):
        own = [entry for entry in entries if entry.mixture == mixture.id]
        about = {"mixture": mixture.id, "attribute": parts.attributes[0], "k": wanted.k}
        optimum = search_mixture(mixture, context.embeddings, wanted.k).optimum.step
        rows += [about | {"optimum": optimum} | row for row in _verdicts(parts, own, clips)]
    if unscored := sum(not row["scored"] for row in rows):
        say(
            f"{NAME}: {unscored} of {len(rows)} clips failed, cannot be decoded or have another size: they show nothing"
        )
    return rows


def _verdicts(mixture: WorldMixture, entries: Sequence[ledger.Entry], folder: Path) -> list[dict[str, Any]]:
    """The verdict on every clip of one mixture, a row each."""
    numbers = np.stack([_numbers(entry, folder) for entry in entries])
    found = verdict(mixture, readings_of(pd.DataFrame(numbers, columns=list(READINGS))))
    scored = ~np.isnan(numbers).all(axis=1)
    shown = {
        "present_a": found.present[:, 0],
        "present_b": found.present[:, 1],
        **{name: getattr(found, name) for name in ("shared", "one_object", "success")},
    }
    return [
        {"seed": entry.seed, "step": step_of(entry.variant), "scored": bool(scored[i])}
        | {name: bool(values[i] and scored[i]) for name, values in shown.items()}
        | {"position": round(float(found.shares[i, 1]), _DIGITS)}
        for i, entry in enumerate(entries)
    ]


def _numbers(entry: ledger.Entry, folder: Path) -> np.ndarray:
    """The judge's readings of a clip, in the order of READINGS; NaN for one that failed, cannot be decoded or has
    another size."""
    clip = _clip(folder / entry.file) if entry.outcome == ledger.OK else None
    known = clip is not None and clip.shape[:3] == (FRAMES, HEIGHT, WIDTH)
    return numbers_of(judge(clip[None])) if known else np.full(len(READINGS), np.nan)


def _clip(file: Path) -> np.ndarray | None:
    """Its frames; None, and a line that says why, if it cannot be decoded."""
    try:
        return read_all(file)
    except VideoError as error:
        say(f"{NAME}: {error}; it shows nothing; delete the file and start again to have it made anew")
        return None
