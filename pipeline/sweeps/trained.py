"""A short training behind a point of a sweep: weights in the scratch folder, made once."""

from contextlib import nullcontext
from pathlib import Path

from metrics.hashing import fingerprint
from pipeline.config import paths
from pipeline.config.embed import Embed
from pipeline.config.train import Training
from pipeline.training import run as training
from pipeline.training.identity import identity
from pipeline.training.loop import silent


def trained(name: str, wanted: Training, embed: Embed, scratch: Path) -> Path:
    """The folder of a training's weights below `scratch`; killed and started again, it goes on where it was."""
    folder = scratch / f"model-{fingerprint([identity(name, wanted, embed)])}"
    if not (folder / paths.HISTORY).is_file():
        training.run(name, wanted, embed, folder, scratch, lambda: nullcontext(silent))
    return folder
