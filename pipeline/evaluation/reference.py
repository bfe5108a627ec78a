"""The reference: clips that the world renders, measured as a method's are; the real videos that FVD compares with.

Its features travel in git, so that FVD is against thousands of clips at no cost. The clips themselves are rendered
from their seed and not kept.
"""

import hashlib
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from metrics.reading.sources import Source
from metrics.scoring.extraction import VideoInput
from metrics.scoring.measured import Measured
from metrics.scoring.measuring import Batch, Measurer
from pipeline.config import params
from pipeline.config.folders import replaced
from pipeline.evaluation.files import write_reference
from pipeline.evaluation.readings import COLUMNS as READINGS
from pipeline.world.captions import captions
from pipeline.world.render import render
from pipeline.world.scene import FRAMES, Scenes, draw

log = logging.getLogger(__name__)

COLUMNS = ("clip", "content", *READINGS, "frame_consistency", "clipsim")


def scenes(wanted: params.Reference) -> tuple[dict[str, str], Scenes]:
    """Named scenes that no training seed draws: their captions by clip id, and what is rendered."""
    names, drawn = draw(wanted.clips, wanted.seed)
    return {f"scene-{i:04d}": text for i, text in enumerate(captions(names, wanted.seed))}, drawn


def make(wanted: params.Reference, measurer: Measurer, scratch: Path, folder: Path) -> None:
    """Write the reference's features and table; a run that was killed continues with the measurer's cache.

    Args:
        scratch: a folder for the rendered clips, 48 KB each, while they are measured.

    The world has no clips of more frames than it renders: a longer rule for clips leaves a reference of none, against
    which nothing is compared, and `evaluate.reference` must name videos.

    Raises:
        ValueError: if a clip could not be measured.
    """
    rule = measurer.protocol.clips
    long = rule.start + rule.span > FRAMES
    if long:
        log.warning(
            "no reference: the world's clips have %d frames, features.clips wants %d", FRAMES, rule.start + rule.span
        )
    texts, drawn = scenes(wanted)
    measured = measure({} if long else texts, render(drawn[:0] if long else drawn), measurer, scratch)
    with replaced(folder) as aside:
        write_reference(aside, measured.table.reindex(columns=list(COLUMNS)), measured, measurer.protocol)


def measure(texts: dict[str, str], clips: np.ndarray, measurer: Measurer, scratch: Path) -> Measured:
    """What is measured of clips uint8 (N, T, H, W, 3) with their N captions by clip id; see `make`."""
    scratch.mkdir(parents=True, exist_ok=True)
    path = scratch / "clips.npy"
    np.save(path, clips)
    inputs = [VideoInput(Source(name, path, index=i)) for i, name in enumerate(texts)]
    (measured,) = measurer.measure([Batch(inputs, texts)], "reference")
    path.unlink()
    if measured.errors:
        name, why = measured.errors[0]
        raise ValueError(f"reference: {len(measured.errors)} clips could not be measured; {name}: {why}")
    return Measured(_of_pixels(measured.table, clips), measured.logits, len(clips), [], measured.provenance)


def _of_pixels(table: pd.DataFrame, clips: np.ndarray) -> pd.DataFrame:
    """The table with a digest of each clip's pixels, and neither codec nor decoder: no file stands between."""
    digests = [hashlib.sha256(clip.tobytes()).hexdigest()[:12] for clip in clips]
    return table.assign(content=digests, codec="none, rendered", decoder="none")
