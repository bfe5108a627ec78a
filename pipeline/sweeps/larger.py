"""Longer and larger clips than a model was trained on, after a few more steps (ETC, Section 5.2, Figure 6)."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from metrics.networks.resize import resize
from metrics.networks.rules import Resize
from metrics.reading.video import read_all
from pipeline.clips import ledger
from pipeline.clips.generation import generate
from pipeline.clips.superseded import Superseded
from pipeline.config.folders import replaced
from pipeline.config.params import Params
from pipeline.evaluation.naming import names_of
from pipeline.methods.base import build
from pipeline.methods.context import Context
from pipeline.sweeps.etc_tables import LARGER
from pipeline.sweeps.etc_variants import larger_training, with_larger_point
from pipeline.sweeps.trained import trained
from pipeline.training.video_validation import judged_videos
from pipeline.world.cuts import cut_wrongly
from pipeline.world.scene import HEIGHT


def run(params: Params, name: str, scratch: Path, target: Path) -> None:
    """Train on, sample, and leave in `target` the first clips and LARGER: metric, value and the number of clips, for
    the judge's shares and the share of clips that are cut wrongly. Larger clips are judged reduced to the toy world's
    size.

    Killed and started again, it goes on with the training, or with the clips, where it was.

    Args:
        scratch: folder of the point's weights and clips; safe to remove.

    Raises:
        ValueError: if no clip could be made.
    """
    weights = trained(name, larger_training(params, name), params.embed, scratch)
    context, clips = Context.of(with_larger_point(params, name, weights), name), scratch / "clips"
    batch, workers = params.generate.batch, params.generate.workers
    entries = generate(name, build(context), clips, Superseded(scratch / "superseded"), batch, workers)
    made = [entry for entry in entries if entry.outcome == ledger.OK]
    seen = np.stack([_at_world_size(read_all(clips / entry.file)) for entry in made])
    names = [names_of(context.inputs.tables[0][entry.prompt_id]) for entry in made]
    shares = judged_videos(names, [entry.caption for entry in made], seen) | {"cut_wrongly": cut_wrongly(seen).mean()}
    table = pd.DataFrame(shares.items(), columns=["metric", "value"]).assign(clips=len(made))
    with replaced(target) as aside:
        table.to_csv(aside / LARGER, index=False)
        for entry in made[: params.etc.larger.shown]:
            shutil.copyfile(clips / entry.file, aside / entry.file)


def _at_world_size(clip: np.ndarray) -> np.ndarray:
    """A clip (T, H, W, 3) in the toy world's height and width."""
    frames = resize(torch.from_numpy(clip), HEIGHT, Resize.SQUASH_BICUBIC)
    return frames.round().clamp(0, 255).byte().movedim(1, -1).numpy()
