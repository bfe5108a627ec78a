"""What generation runs: a maker of clips, and the jobs that it is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

Clip = np.ndarray | Path  # uint8 (T, H, W, 3), or a video file that is imported as it is
Asked = Literal["prompts", "mixtures", "videos"]


@dataclass(frozen=True)
class Job:
    """One clip to make. `prompt` says what conditions it, `caption` what it should show; see ledger.Entry."""

    clip: str
    mixture: str
    seed: int
    variant: str
    prompt: str
    caption: str
    prompt_id: str = ""


class ClipMaker(Protocol):
    """Something that makes clips: a method, or the import of videos that others made.

    asked: what its jobs are, by which tables group it. jobs: every clip that is asked for, in a fixed order.
    fingerprint: of all that makes a job's clip, code and library versions included; a clip of another fingerprint is
    made anew. made_by: what all clips share of that, by name, to say what changed. weights: hash of the weights, ""
    where there are none. parameters: of the denoiser, which may load it; 0 where there is none. prepare: loads what
    `generate` needs; called once, before any clip: errors abort the stage, and load time is charged to no clip. fps: of
    the files. origin: where the clips come from, for people: a checkpoint, a folder.
    """

    fps: int

    @property
    def asked(self) -> Asked: ...
    @property
    def made_by(self) -> Mapping[str, Any]: ...
    @property
    def weights(self) -> str: ...
    @property
    def parameters(self) -> int: ...
    @property
    def origin(self) -> str: ...
    def jobs(self) -> Sequence[Job]: ...
    def fingerprint(self, job: Job) -> str: ...
    def prepare(self) -> None: ...
    def generate(self, jobs: Sequence[Job]) -> Sequence[Clip]:
        """The clips of B jobs, often as one array uint8 (B, T, H, W, 3)."""
        ...
