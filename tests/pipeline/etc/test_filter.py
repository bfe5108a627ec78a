import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.networks.features import load_clip
from metrics.scoring.cache import FeatureCache
from metrics.scoring.measuring import Measurer
from metrics.scoring.protocol import named
from pipeline.etc.filter import COLUMNS, EPSILON, best, filter_videos, frame_scores, threshold
from pipeline.world.captions import captions
from pipeline.world.render import render
from pipeline.world.scene import draw
from pipeline.world.spoilt import spoil

CLIPS, SPOILT = 60, 0.3


@pytest.fixture(scope="module")
def measurer(root: Path, minilm: Path) -> Measurer:
    protocol = named("reelbench")
    clip = load_clip(root / "models/world/clip", minilm, protocol.clip_resize)
    return Measurer([clip], protocol, FeatureCache(None), workers=0)


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Captioned videos of which some are spoilt, and the kind of each."""
    folder = tmp_path_factory.mktemp("collection")
    names, scenes = draw(CLIPS, 777)
    clips, texts, kinds = spoil(render(scenes), captions(names, 5), names, SPOILT, seed=1)
    ids = [f"v{i:02}" for i in range(CLIPS)]
    np.savez(folder / "clips.npz", **dict(zip(ids, clips, strict=True)))
    pd.DataFrame({"clip": ids, "caption": texts}).to_csv(folder / "captions.csv", index=False)
    return folder, {f"clips/{i}": kind for i, kind in zip(ids, kinds, strict=True)}


@pytest.fixture(scope="module")
def filtered(measurer: Measurer, collection: tuple[Path, dict[str, str]]) -> pd.DataFrame:
    folder, kinds = collection
    table = filter_videos(measurer, folder, folder / "captions.csv", 1 - SPOILT)
    return table.assign(kind=table["clip"].map(kinds))


def test_the_factor_is_the_printed_one() -> None:
    assert pytest.approx(14.28, abs=0.01) == EPSILON
    assert pytest.approx(math.exp(math.e * math.log(math.log(1 / 0.07)))) == EPSILON


def test_a_frames_score_is_the_scaled_cosine() -> None:
    frames = np.array([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]])
    assert frame_scores(frames, np.array([1.0, 0.0])) == pytest.approx([EPSILON, 0.6 * EPSILON, -EPSILON])


@given(st.lists(st.floats(-14, 14), min_size=1, max_size=40, unique=True), st.floats(0.01, 1))
def test_the_best_share_is_kept(scores: list[float], ratio: float) -> None:
    least = threshold(np.array([*scores, np.nan]), ratio)
    kept = [score for score in scores if score >= least]
    assert abs(len(kept) - ratio * len(scores)) <= 0.5 + 1e-9 or len(kept) == 1
    assert sorted(scores, reverse=True)[: len(kept)] == sorted(kept, reverse=True)


@pytest.mark.parametrize("ratio", [0, -0.5, 1.01, float("nan")])
def test_what_is_no_share_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="expected more than 0 and at most 1"):
        threshold(np.ones(3), ratio)


def test_without_scores_nothing_can_be_kept() -> None:
    with pytest.raises(ValueError, match="no video could be scored"):
        threshold(np.full(3, np.nan), 0.5)


def test_bad_videos_are_dropped_and_good_ones_kept(filtered: pd.DataFrame) -> None:
    """With the right share, precision and recall are the same number: 59 of 60 of a larger collection, docs/etc.md."""
    assert (filtered.kept == (filtered.kind == "")).mean() >= 0.95
    assert filtered.kept.sum() == round((1 - SPOILT) * CLIPS)


def test_the_table_says_which_frames_are_bad(filtered: pd.DataFrame) -> None:
    """Half of the frames of blank and noisy clips, all of those with a wrong caption."""
    assert list(filtered.columns) == [*COLUMNS, "kind"]
    halves = filtered[filtered.kind.isin(["blank frames", "noisy frames"]) & ~filtered.kept]
    assert (halves.frames_below == 8).mean() >= 0.9
    assert (filtered[filtered.kind == "wrong caption"].frames_below == 16).all()
    assert (filtered.lowest <= filtered.score).all()
    assert (filtered.reason == "").equals(filtered.kept)
    assert halves.reason.str.contains("8 of 16 frames are below it, least frame ").any()


def test_what_cannot_be_scored_is_listed_with_its_reason(
    measurer: Measurer, collection: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    clips = np.load(collection[0] / "clips.npz")
    for name in ("v00", "v01"):
        np.save(tmp_path / f"{name}.npy", clips[name])
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    rows = [("v00", "A red circle."), ("broken", "A blue circle."), ("gone", "A green circle.")]
    pd.DataFrame(rows, columns=["clip", "caption"]).to_csv(tmp_path / "c.csv", index=False)
    table = filter_videos(measurer, tmp_path, tmp_path / "c.csv", 1).set_index("clip")
    assert table.kept.to_dict() == {"broken": False, "v00": True, "v01": False, "gone": False}
    assert table.reason["v01"] == "has no caption"
    assert table.reason["gone"] == "has a caption and no file"
    assert table.reason["broken"]
    assert table.score.notna().sum() == 1


def test_a_wrong_ratio_costs_nothing(measurer: Measurer, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the ratio of videos to keep is 2"):
        filter_videos(measurer, tmp_path / "none", tmp_path / "none.csv", 2)


def test_clips_in_memory_are_kept_as_files_are(root: Path, minilm: Path, filtered: pd.DataFrame) -> None:
    names, scenes = draw(CLIPS, 777)
    clips, texts, _ = spoil(render(scenes), captions(names, 5), names, SPOILT, seed=1)
    network = load_clip(root / "models/world/clip", minilm, named("reelbench").clip_resize)
    kept = best(network, clips, texts, 1 - SPOILT)
    by_clip = filtered.set_index("clip").kept
    assert kept.tolist() == [by_clip[f"clips/v{i:02}"] for i in range(CLIPS)]
    with pytest.raises(ValueError, match="ratio of videos to keep is 0"):
        best(network, clips, texts, 0)
