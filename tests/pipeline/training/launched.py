"""Small trainings, for one process or for several that `accelerate launch` starts (python -m, with the folder of a
Stable Diffusion checkpoint and one to write to): curves as json, and what each process did."""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.config.train import Schedule
from pipeline.training import clip, motion
from pipeline.training.loop import Reporter, silent, train
from tests.pipeline.training.small import CLIP, WordTower, embed_by, motion_spec
from tests.pipeline.training.test_loop import Killed, Line

SCHEDULE = Schedule(
    steps=6, learning_rate=1e-2, warmup=2, log_every=1, gradients_every=3, checkpoint_every=2, validate_every=4
)

NAMES = ("line", "clip", "motion")


def task_of(name: str, checkpoint: Path) -> Any:
    """A mean of rows; losses of which every row meets all others; HARIVO's, with the queue."""
    if name == "line":
        return Line()
    if name == "clip":
        return clip.ClipTask(CLIP.model_copy(update={"batch": 6}), WordTower(), 0, "cpu")
    spec = motion_spec(checkpoint).model_copy(update={"validation_prompts": 1})
    return motion.build_task(spec, embed_by("clip", checkpoint, 8), 0, "cpu")


def curve(task: Any, file: Path, report: Reporter = silent) -> list[dict[str, float]]:
    """Train it; one row a step."""
    return train(task, SCHEDULE, file.with_suffix(".safetensors"), "x", report).rows


def kill(task: Any, file: Path) -> None:
    """Train it up to the fourth step, which is never done."""
    whole, left = task.loss, iter(range(3))

    def loss(*inputs: Any) -> Any:
        if next(left, None) is None:
            raise Killed
        return whole(*inputs)

    task.loss = loss
    with suppress(Killed):
        curve(task, file)


def main(checkpoint: Path, folder: Path) -> None:
    rank, reported, validated = os.environ["RANK"], [], []
    chosen = {name: task_of(name, checkpoint) for name in NAMES}
    line = chosen["line"]
    validate = line.validate
    line.validate = lambda final: validated.append(final) or validate(final)
    kill(task_of("motion", checkpoint), folder / "motion")
    curves = {name: curve(task, folder / name, lambda step, *_: reported.append(step)) for name, task in chosen.items()}
    curve(Line(), folder / rank / "own")
    found = {"curves": curves, "reported": reported, "validated": validated}
    (folder / f"{rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
