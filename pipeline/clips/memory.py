"""Makers of clips on a device whose memory does not suffice: batches are halved, once and for all, and it is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from metrics.progress import say
from pipeline.clips.jobs import Clip, ClipMaker, Job
from pipeline.clips.workers import OutOfMemory


@dataclass
class Room:
    """How many clips of a model fit at once, as found so far; None: as many as asked for. model: its name in
    params.yaml."""

    model: str
    most: int | None = None


class InHalves:
    """A maker whose batches are halved when they run out of memory; a `ClipMaker` itself.

    Args:
        maker: in all else as it is. room: of its model, which all of the model's methods share.
    """

    def __init__(self, maker: ClipMaker, room: Room) -> None:
        self.maker, self.room = maker, room

    def __getattr__(self, name: str) -> Any:
        return getattr(self.maker, name)

    def generate(self, jobs: Sequence[Job]) -> list[Clip]:
        """The clips of the jobs.

        Raises:
            OutOfMemory: if one alone does not fit.
        """
        clips: list[Clip] = []
        while left := jobs[len(clips) :]:
            made = self._tried(left[: self.room.most])
            if made is None:
                torch.cuda.empty_cache()  # here, where the error that held on to the tensors is gone
            else:
                clips += made
        return clips

    def _tried(self, jobs: Sequence[Job]) -> list[Clip] | None:
        """The clips; None if they did not fit, and fewer are to be tried."""
        key = f"generate.models.{self.room.model}"
        try:
            return list(self.maker.generate(jobs))
        except torch.OutOfMemoryError as error:
            if len(jobs) == 1:
                helps = f"fewer frames or pixels, or {key}.memory (dtype, tiling, slicing, offload)"
                raise OutOfMemory(f"one clip alone runs out of memory: {error}; what helps: {helps}") from error
            self.room.most = len(jobs) // 2
            say(f"out of memory: going on with {self.room.most} clips at a time; {key}.batch sets it")
            return None
