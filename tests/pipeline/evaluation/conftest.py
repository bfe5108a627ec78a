"""Clips of a method and their features, by the real networks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from metrics.networks.features import load_clip, load_i3d
from metrics.scoring.cache import FeatureCache
from metrics.scoring.measuring import Measurer
from metrics.scoring.protocol import named
from pipeline.clips import ledger
from pipeline.clips.files import write_clip
from pipeline.evaluation.evaluated import Evaluated, read
from pipeline.evaluation.features import extract
from pipeline.evaluation.measuring import JudgeReadings
from pipeline.world.render import render
from pipeline.world.scene import draw

ABOUT = '{"parameters": 123, "asked": "prompts", "device": "cpu"}'


def entry(i: int, outcome: str = ledger.OK, mixture: str = "") -> ledger.Entry:
    return ledger.Entry(
        f"c{i}", "m", mixture, i, "", "p", f"A red circle number {i}.", "w", "f", 0.5, outcome, frames=16
    )


def fill(folder: Path, clips: Sequence[np.ndarray | None], mixture: str = "") -> Path:
    """A method's clips and ledger; one that is None has failed."""
    for i, clip in enumerate(clips):
        ledger.append(folder, entry(i, ledger.OK if clip is not None else "RuntimeError: no", mixture))
        if clip is not None:
            write_clip(folder / f"c{i}.mkv", clip, 8)
    (folder / ledger.ABOUT).write_text(ABOUT)
    return folder


def features_of(folder: Path, measurer: Measurer, target: Path) -> Evaluated:
    """What the features stage makes of one method's clips."""
    extract({"out": folder}, measurer, target)
    return read(target / "out")


@pytest.fixture(scope="session")
def measurer(i3d_weights: Path, minilm: Path) -> Measurer:
    protocol = named("reelbench")
    networks = [
        load_i3d(i3d_weights, protocol.i3d_resize),
        load_clip(i3d_weights.parents[1] / "world/clip", minilm, protocol.clip_resize),
        JudgeReadings(),
    ]
    return Measurer(networks, protocol, FeatureCache(None), batch=2, workers=0)


@pytest.fixture(scope="session")
def clips() -> np.ndarray:
    return render(draw(6, 0)[1])


@pytest.fixture(scope="session")
def method(measurer: Measurer, clips: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    """Six requested clips: the third failed, the fifth is damaged on disk."""
    folder = tmp_path_factory.mktemp("method")
    fill(folder / "clips", [clip if i != 2 else None for i, clip in enumerate(clips)])
    (folder / "clips/c4.mkv").write_bytes(b"damaged")
    return features_of(folder / "clips", measurer, folder / "features")
