"""reference: clips rendered by the world itself, the real videos that FVD compares with."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from metrics.hashing import fingerprint, sha256
from pipeline.methods.base import Context, Job
from pipeline.world import captions, render, scene


class Reference:
    """Named scenes that no training seed draws, each with a caption of its own."""

    fps = scene.FPS
    weights = ""
    parameters = 0
    origin = "rendered by the world"

    def __init__(self, clips: int, seed: int) -> None:
        self.clips, self.seed = clips, seed
        names, self._scenes = scene.draw(clips, seed)
        self._captions = captions.captions(names, seed)

    @cached_property
    def _settings(self) -> list[object]:
        code = [sha256(Path(str(module.__file__))) for module in (scene, render, captions)]
        return [self.clips, self.seed, *code]

    def fingerprint(self, job: Job) -> str:
        """Hash of seed and number of scenes, which place it in them, and of the code that renders."""
        return fingerprint([*self._settings, job.seed])

    def prepare(self) -> None:
        """Nothing to load."""

    def jobs(self) -> list[Job]:
        return [
            Job(clip=f"scene-{i:04d}", mixture="", seed=i, variant="", prompt=text, caption=text)
            for i, text in enumerate(self._captions)
        ]

    def generate(self, jobs: Sequence[Job]) -> np.ndarray:
        return render.render(self._scenes[np.array([job.seed for job in jobs])])


def build(context: Context) -> Reference:
    """Options: `clips`, how many; `seed`, of the scenes.

    Raises:
        ValueError: if one of them is missing or no whole number.
    """
    options = context.params.options
    for key in ("clips", "seed"):
        if not isinstance(options.get(key), int):
            raise ValueError(
                f"params.yaml: generate.methods.{context.name}.{key} is {options.get(key)!r}, expected a whole number"
            )
    return Reference(options["clips"], options["seed"])
