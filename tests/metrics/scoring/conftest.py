"""A scorer with the real networks, and folders of small clips."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metrics.networks.features import load_clip, load_i3d
from metrics.reading.rule import ClipRule
from metrics.scoring.cache import FeatureCache
from metrics.scoring.protocol import named
from metrics.scoring.scorer import Scorer
from metrics.statistics.bootstrap import Uncertainty

PROTOCOL = named("reelbench").with_clips(ClipRule(frames=9))


@pytest.fixture(scope="session")
def scorer(i3d_weights: Path, minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    networks = [
        load_i3d(i3d_weights, PROTOCOL.i3d_resize),
        load_clip(i3d_weights.parents[1] / "world/clip", minilm, PROTOCOL.clip_resize),
    ]
    cache = FeatureCache(tmp_path_factory.mktemp("cache"))
    return Scorer(networks, PROTOCOL, cache, Uncertainty(50), workers=0)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five real clips; four generated ones, of which one is too short; captions of five, one of them of no file."""
    root, rng = tmp_path_factory.mktemp("folders"), np.random.default_rng(0)
    for side, n in (("real", 5), ("gen", 4)):
        (root / side).mkdir()
        for i in range(n):
            ground = rng.integers(0, 256, (1, 6, 8, 3)).repeat(6, axis=1).repeat(6, axis=2)
            clip = (ground + rng.integers(-20, 21, (9, 36, 48, 3))).clip(0, 255).astype(np.uint8)
            np.save(root / f"{side}/c{i}.npy", clip[: 3 if (side, i) == ("gen", 3) else 9])
    rows = [{"file": f"c{i}.npy", "caption": f"A red circle number {i}."} for i in (0, 1, 3, 7)]
    pd.DataFrame(rows).to_csv(root / "captions.csv", index=False)
    return root
