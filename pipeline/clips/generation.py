"""Runs a method: makes the clips that are missing, writes them one by one, keeps the ledger.

Restarted after a kill it makes only what is missing. A clip that fails is recorded with its error: it was requested,
so it stays in every denominator. What would be made otherwise now, or is no longer asked for, is set aside, and taken
back when it is asked for again.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from metrics.progress import Progress, say
from pipeline.clips import ledger
from pipeline.clips.files import SUFFIX, copy_clip, write_clip
from pipeline.clips.jobs import ClipMaker, Job
from pipeline.clips.superseded import Superseded, difference, set_aside
from pipeline.clips.workers import Made, OutOfMemory, device_name, make, processes


def generate(
    name: str, maker: ClipMaker, folder: Path, superseded: Superseded, batch: int, workers: int = 1
) -> list[ledger.Entry]:
    """Make every clip of a method that `folder` does not hold yet.

    Args:
        superseded: where clips are set aside, and taken back from. batch: clips that are sampled together. workers:
            processes that sample on a CPU, see `workers.make`.

    Returns:
        The ledger, one entry per job, in the order of the jobs.

    Raises:
        ValueError: if not one clip could be made. OutOfMemory: if one alone does not fit; what was made stays.
    """
    jobs = list(maker.jobs())
    done = _finished(folder, jobs, maker)
    others = [job for job in jobs if job.clip not in done]
    missing = [job for job in others if not superseded.holds(job.clip, maker.fingerprint(job))]
    if missing:
        maker.prepare()  # before anything is moved: what cannot be loaded makes no clip
    _set_aside_others(name, maker, jobs, folder, done, superseded)
    _take_back(name, maker, others, folder, superseded)
    device = device_name(processes(workers, len(missing))) if missing else ""
    progress = Progress(name, len(jobs), "clips", done=len(jobs) - len(missing))
    with progress, closing(make(maker, missing, batch, workers)) as finished:
        for made in finished:
            ledger.append(folder, replace(_store(folder, name, maker, made), device=device))
            progress.update()
    entries = ledger.read(folder)
    ordered = [entries[job.clip] for job in jobs]
    ledger.rewrite(folder, ordered)
    _write_about(folder, name, maker, ordered, made_anew=bool(missing))
    if not any(entry.outcome == ledger.OK for entry in ordered):
        raise ValueError(f"no clip could be made; the last error was: {ordered[-1].outcome}")
    return ordered


def generate_all(
    makers: dict[str, ClipMaker], folders: Callable[[str], Path], superseded: Superseded, batch: int, workers: int = 1
) -> None:
    """`generate` for several, each let go when it is done, so that memory holds one model at a time.

    Args:
        makers: by name; emptied. folders: of each by its name.

    Raises:
        ValueError: at the end, with what every one that failed has to say; at once where a clip alone does not fit, for
            all share the model.
    """
    failed = []
    while makers:
        name = next(iter(makers))
        try:
            generate(name, makers.pop(name), folders(name), superseded, batch, workers)
        except (ValueError, OSError) as error:  # a folder that is no checkpoint is an OSError of diffusers
            failed.append(f"{name}: {error}")
            if isinstance(error, OutOfMemory):
                break
    if failed:
        raise ValueError("\n".join(failed))


def _finished(folder: Path, jobs: Sequence[Job], maker: ClipMaker) -> dict[str, ledger.Entry]:
    """The jobs whose clip is there, made as it would be made now; what does not make the clip is brought up to date:
    texts, and the mixture or prompt that an imported video stands for."""
    entries = ledger.read(folder)
    return {
        job.clip: replace(entry, **asdict(job))
        for job in jobs
        if (entry := entries.get(job.clip)) is not None
        and entry.outcome == ledger.OK
        and entry.fingerprint == maker.fingerprint(job)
        and (folder / entry.file).is_file()
    }


def _set_aside_others(
    name: str, maker: ClipMaker, jobs: Sequence[Job], folder: Path, kept: dict[str, ledger.Entry], aside: Superseded
) -> None:
    """Leave only the clips that are kept, and say what is set aside and why."""
    moved = set_aside(folder, kept, aside)
    ledger.rewrite(folder, list(kept.values()))
    asked = {job.clip for job in jobs}
    otherwise = sum(entry.clip in asked for entry in moved)
    reasons = []
    if otherwise:
        before = ledger.about(folder).get("made_by")
        changes = difference(before, maker.made_by) if before else ["how they were made was not recorded"]
        reasons.append(f"{otherwise} would be made otherwise now ({', '.join(changes) or 'other embeddings'})")
    if otherwise < len(moved):
        reasons.append(f"{len(moved) - otherwise} are no longer asked for")
    if moved:
        say(f"{name}: {len(moved)} clips set aside in {aside.folder}: {', '.join(reasons)}")


def _take_back(name: str, maker: ClipMaker, jobs: Sequence[Job], folder: Path, aside: Superseded) -> None:
    """Of the jobs, those whose clip was set aside once and is wanted again."""
    taken = 0
    for job in jobs:
        fingerprint = maker.fingerprint(job)
        entry = aside.copy(job.clip, fingerprint, name, folder)
        if entry is not None:
            ledger.append(folder, replace(entry, method=name, **asdict(job)))
            aside.discard(job.clip, fingerprint, name)  # after the ledger: a kill in between costs nothing
            taken += 1
    if taken:
        say(f"{name}: {taken} clips that were set aside are taken back")


def _store(folder: Path, name: str, maker: ClipMaker, made: Made) -> ledger.Entry:
    """Write the clip and describe what became of it; one that cannot be written has failed."""
    entry, clip = _entry(name, maker, made), made.clip
    try:
        if isinstance(clip, Path):
            copy_clip(clip, folder / entry.file)
        elif clip is not None:
            write_clip(folder / entry.file, clip, maker.fps)
    except ValueError as error:
        return replace(entry, outcome=f"{type(error).__name__}: {error}")
    return entry


def _entry(name: str, maker: ClipMaker, made: Made) -> ledger.Entry:
    job, clip = made.job, made.clip
    return ledger.Entry(
        clip=job.clip,
        method=name,
        mixture=job.mixture,
        seed=job.seed,
        variant=job.variant,
        prompt=job.prompt,
        caption=job.caption,
        prompt_id=job.prompt_id,
        weights=maker.weights,
        fingerprint=maker.fingerprint(job),
        seconds=round(made.seconds, 4),
        outcome=made.outcome,
        suffix=clip.suffix if isinstance(clip, Path) else SUFFIX,
        frames=len(clip) if isinstance(clip, np.ndarray) else 0,
    )


def _write_about(folder: Path, name: str, maker: ClipMaker, entries: Sequence[ledger.Entry], made_anew: bool) -> None:
    """What made the clips, beside the ledger. Where nothing was made, the number of parameters, which a model must be
    loaded to tell, is taken from the last time."""
    before = ledger.about(folder)
    same = not made_anew and before.get("weights") == maker.weights
    about = {
        "method": name,
        "asked": maker.asked,
        "weights": maker.weights,
        "parameters": before["parameters"] if same else maker.parameters,
        "device": "; ".join(dict.fromkeys(entry.device for entry in entries if entry.device)),
        "fps": maker.fps,
        "origin": maker.origin,
        "made_by": maker.made_by,
    }
    aside = folder / f".{ledger.ABOUT}.tmp"
    aside.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    aside.replace(folder / ledger.ABOUT)
