"""reference: clips rendered by the world itself, the real videos that FVD compares with."""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np

from pipeline.checkpoints import sha256
from pipeline.methods.base import Context, Job
from pipeline.world import captions, render, scene


class Reference:
    """Named scenes that no training seed draws, each with a caption of its own."""

    fps = scene.FPS
    weights = ""
    parameters = 0

    def __init__(self, clips: int, seed: int) -> None:
        self.clips, self.seed = clips, seed
        names, self._scenes = scene.draw(clips, seed)
        self._captions = captions.captions(names, seed)

    @property
    def fingerprint(self) -> str:
        """Seed and number of clips, and the code that renders them."""
        code = [sha256(_path(module)) for module in (scene, render, captions)]
        return "-".join([f"{self.clips}", f"{self.seed}", *(digest[:12] for digest in code)])

    def jobs(self) -> list[Job]:
        return [
            Job(clip=f"scene-{i:04d}", mixture="", seed=i, variant="", prompt=text, caption=text)
            for i, text in enumerate(self._captions)
        ]

    def generate(self, jobs: Sequence[Job]) -> np.ndarray:
        return render.render(self._scenes[np.array([job.seed for job in jobs])])


def _path(module: ModuleType) -> Path:
    return Path(str(module.__file__))


def build(context: Context) -> Reference:
    """Options: `clips`, how many; `seed`, of the scenes."""
    options = context.params.options
    return Reference(int(options["clips"]), int(options["seed"]))
