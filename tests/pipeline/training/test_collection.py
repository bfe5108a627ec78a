"""Clips of the toy world for ETC: their rates, sizes, and what the filter leaves of good and bad ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.specs import EtcSpec, Filtered
from pipeline.training.collection import of_world
from tests.pipeline.training.small import etc_spec

SCENES, SPOILT = 60, 0.5


@pytest.fixture
def spec_of(root: Path, minilm: Path, tmp_path: Path) -> Any:
    def spec(ratio: float | None, **own: Any) -> EtcSpec:
        clip = {"clip": str(root / "models/world/clip"), "text_tower": str(minilm)}
        wanted = None if ratio is None else Filtered(spoilt=SPOILT, ratio=ratio, **clip)
        return etc_spec(tmp_path, scenes=SCENES, used=SCENES, filtered=wanted, **own)

    return spec


def test_without_a_filter_every_clip_is_there(spec_of: Any) -> None:
    whole = of_world(spec_of(None), 3)
    assert len(whole.clips) == len(whole.captions) == len(whole.labels) == len(whole.rates) == SCENES
    assert whole.known == frozenset(whole.captions)


def test_the_filter_drops_the_bad_half(spec_of: Any) -> None:
    """Good clips are told from bad ones by their frames and captions, which are as they were."""
    kept = of_world(spec_of(1 - SPOILT), 3)
    whole = of_world(spec_of(None), 3)
    assert len(kept.clips) == len(kept.captions) == len(kept.labels) == len(kept.rates) == SCENES / 2
    assert kept.known == whole.known
    good = {(clip.tobytes(), text) for clip, text in zip(whole.clips, whole.captions, strict=True)}
    found = sum((clip.tobytes(), text) in good for clip, text in zip(kept.clips, kept.captions, strict=True))
    assert found > 0.75 * len(kept.clips)  # of half of them by chance; at low rates good clips have empty frames too


def test_a_ratio_of_one_keeps_the_bad_ones_too(spec_of: Any) -> None:
    everything, whole = of_world(spec_of(1.0), 3), of_world(spec_of(None), 3)
    assert len(everything.clips) == SCENES
    changed = [i for i in range(SCENES) if (everything.clips[i] != whole.clips[i]).any()]
    miscaptioned = [i for i in range(SCENES) if everything.captions[i] != whole.captions[i]]
    assert len(changed) + len(miscaptioned) == SCENES * SPOILT
    assert everything.labels == whole.labels
    assert (everything.rates == whole.rates).all()


@pytest.mark.parametrize(("length", "height"), [(25, None), (None, 48), (9, 16)])
def test_clips_are_as_long_and_as_large_as_asked(spec_of: Any, length: int | None, height: int | None) -> None:
    clips = of_world(spec_of(None, length=length, height=height), 3).clips
    assert clips.shape == (SCENES, length or 16, height or 32, height or 32, 3)
    assert clips.dtype == np.uint8
