"""Runs a method: makes the clips that are missing, writes them one by one, keeps the ledger.

Restarted after a kill it makes only what is missing. A clip that fails is recorded with its error: it was requested,
so it stays in every denominator. What another fingerprint made, or is no longer asked for, is removed first.
"""

import json
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pipeline.clips import ledger
from pipeline.clips.files import SUFFIX, copy_clip, write_clip
from pipeline.methods.base import Clip, Job, Method

log = logging.getLogger(__name__)


def generate(name: str, method: Method, folder: Path, batch: int) -> list[ledger.Entry]:
    """Make every clip of a method that `folder` does not hold yet.

    Returns:
        The ledger, one entry per job, in the order of the jobs.

    Raises:
        ValueError: if not one clip could be made.
    """
    jobs = list(method.jobs())
    done = _finished(folder, jobs, method)
    _remove_others(folder, done)
    missing = [job for job in jobs if job.clip not in done]
    if missing:
        method.prepare()
    with tqdm(total=len(jobs), initial=len(done), desc=name, unit="clip", disable=None) as bar:
        for group in (missing[i : i + batch] for i in range(0, len(missing), batch)):
            for job, clip, seconds, outcome in _make(method, group):
                ledger.append(folder, _store(folder, name, method, job, clip, seconds, outcome))
                bar.update()
    entries = ledger.read(folder)
    ordered = [entries[job.clip] for job in jobs]
    ledger.rewrite(folder, ordered)
    _write_about(folder, name, method)
    if not any(entry.outcome == ledger.OK for entry in ordered):
        raise ValueError(f"{name}: no clip could be made; the last error was: {ordered[-1].outcome}")
    return ordered


def _finished(folder: Path, jobs: Sequence[Job], method: Method) -> dict[str, ledger.Entry]:
    """The jobs whose clip is there, made as it would be made now; texts that do not make the clip are brought up
    to date."""
    entries = ledger.read(folder)
    return {
        job.clip: replace(entry, prompt=job.prompt, caption=job.caption)
        for job in jobs
        if (entry := entries.get(job.clip)) is not None
        and entry.outcome == ledger.OK
        and entry.fingerprint == method.fingerprint(job)
        and (folder / entry.file).is_file()
    }


def _remove_others(folder: Path, kept: dict[str, ledger.Entry]) -> None:
    names = {ledger.FILE, *(entry.file for entry in kept.values())}
    for path in folder.glob("*"):
        if path.name not in names:
            path.unlink()
    ledger.rewrite(folder, list(kept.values()))


def _make(method: Method, jobs: Sequence[Job]) -> Iterator[tuple[Job, Clip | None, float, str]]:
    """(job, clip or None, seconds, outcome) for each job; a batch that fails is tried again clip by clip."""
    start = time.perf_counter()
    try:
        clips = method.generate(jobs)
    except Exception as error:  # whatever a method raises: the clip is recorded as failed, the others go on
        log.warning("%s: %s", ", ".join(job.clip for job in jobs), error)
        if len(jobs) == 1:
            yield jobs[0], None, time.perf_counter() - start, f"{type(error).__name__}: {error}"
            return
        for job in jobs:
            yield from _make(method, [job])
        return
    seconds = (time.perf_counter() - start) / len(jobs)
    for job, clip in zip(jobs, clips, strict=True):
        yield job, clip, seconds, ledger.OK


def _store(
    folder: Path, name: str, method: Method, job: Job, clip: Clip | None, seconds: float, outcome: str
) -> ledger.Entry:
    """Write the clip and describe what became of it; one that cannot be written has failed."""
    entry = _entry(name, method, job, clip, seconds, outcome)
    try:
        if isinstance(clip, Path):
            copy_clip(clip, folder / entry.file)
        elif clip is not None:
            write_clip(folder / entry.file, clip, method.fps)
    except ValueError as error:
        return replace(entry, outcome=f"{type(error).__name__}: {error}")
    return entry


def _entry(name: str, method: Method, job: Job, clip: Clip | None, seconds: float, outcome: str) -> ledger.Entry:
    return ledger.Entry(
        clip=job.clip,
        method=name,
        mixture=job.mixture,
        seed=job.seed,
        variant=job.variant,
        prompt=job.prompt,
        caption=job.caption,
        prompt_id=job.prompt_id,
        weights=method.weights,
        fingerprint=method.fingerprint(job),
        seconds=round(seconds, 4),
        outcome=outcome,
        suffix=clip.suffix if isinstance(clip, Path) else SUFFIX,
        frames=len(clip) if isinstance(clip, np.ndarray) else 0,
    )


def _write_about(folder: Path, name: str, method: Method) -> None:
    about = {
        "method": name,
        "weights": method.weights,
        "parameters": method.parameters,
        "fps": method.fps,
        "origin": method.origin,
    }
    (folder / ledger.ABOUT).write_text(json.dumps(about, indent=2) + "\n")
