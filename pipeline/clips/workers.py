"""Makes clips, in this process or, on a CPU, in several that sample a batch each on one thread.

Tensors of small models gain nothing from a second thread, so two processes make nearly twice the clips of one. They are
forked after the model is loaded: imports and weights are paid once.
"""

import ctypes
import logging
import multiprocessing
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace

import numpy as np
import torch

from metrics.forking import garbage_left_behind
from pipeline.clips.jobs import Clip, ClipMaker, Job
from pipeline.clips.ledger import OK

log = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1  # of prctl.h


class WorkerError(ValueError):
    """A process that makes clips has died; the message says what may help."""


class OutOfMemory(ValueError):
    """Not even one clip fits into the device's memory; the message says what may help."""


@dataclass(frozen=True)
class Made:
    """What became of a job: its clip, or None; the seconds that it took of the machine, its share of the batch and of
    the processes that ran side by side; "ok", or the error."""

    job: Job
    clip: Clip | None
    seconds: float
    outcome: str = OK


def make(maker: ClipMaker, jobs: Sequence[Job], batch: int, workers: int = 1) -> Iterator[Made]:
    """Make the clips of a prepared maker, `batch` at a time, in the order in which batches are finished.

    A batch that fails is tried again clip by clip. On a GPU one process makes all of them. To be closed by who reads it
    (`contextlib.closing`): then the batches that run are finished, and no other is begun.

    Raises:
        WorkerError: if a process dies. OutOfMemory: of the maker, if one clip alone does not fit.
    """
    workers = processes(workers, len(jobs))
    groups = batches(jobs, batch, workers)
    if workers == 1:
        for group in groups:
            yield from _make(maker, group)
        return
    fork = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(workers, mp_context=fork, initializer=_start, initargs=(maker, workers))
    try:
        with garbage_left_behind():  # all are forked with the first
            submitted = [pool.submit(_work, group) for group in groups]
        for finished in as_completed(submitted):
            yield from finished.result()
    except BrokenProcessPool as error:
        raise WorkerError("a process died, perhaps for want of memory: lower generate.workers or batch") from error
    finally:  # also where the reader fails or is interrupted: no batch is begun whose clips would be lost
        pool.shutdown(wait=False, cancel_futures=True)


def batches(jobs: Sequence[Job], batch: int, workers: int) -> list[Sequence[Job]]:
    """The jobs in groups of at most `batch`, as even as can be and as many for each worker."""
    groups = workers * -(-len(jobs) // (batch * workers))
    return [[jobs[i] for i in rows] for rows in np.array_split(range(len(jobs)), groups)] if jobs else []


def processes(workers: int, jobs: int) -> int:
    """How many processes share the jobs."""
    return 1 if torch.cuda.is_available() else max(1, min(workers, jobs))


def device_name(workers: int) -> str:
    """What clips are sampled on by so many processes, for people."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"cpu, {workers} processes of one thread" if workers > 1 else f"cpu, {torch.get_num_threads()} threads"


_maker: ClipMaker  # of a worker, set when it starts
_beside: int  # how many workers there are


def _start(maker: ClipMaker, workers: int) -> None:
    global _maker, _beside
    _maker, _beside = maker, workers
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    if sys.platform == "linux":  # a parent that is killed takes its workers along
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _work(jobs: Sequence[Job]) -> list[Made]:
    return [replace(made, seconds=made.seconds / _beside) for made in _make(_maker, jobs)]


def _make(maker: ClipMaker, jobs: Sequence[Job]) -> Iterator[Made]:
    start = time.perf_counter()
    try:
        clips = maker.generate(jobs)
    except OutOfMemory:
        raise
    except Exception as error:  # whatever a maker raises: the clip is recorded as failed, the others go on
        log.warning("%s: %s", ", ".join(job.clip for job in jobs), error)
        if len(jobs) == 1:
            yield Made(jobs[0], None, time.perf_counter() - start, f"{type(error).__name__}: {error}")
            return
        for job in jobs:
            yield from _make(maker, [job])
        return
    seconds = (time.perf_counter() - start) / len(jobs)
    for job, clip in zip(jobs, clips, strict=True):
        yield Made(job, clip, seconds)
