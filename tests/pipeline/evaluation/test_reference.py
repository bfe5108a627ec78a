"""The shipped reference: what a few of its clips give today, and that it is the one that params.yaml asks for."""

from pathlib import Path

import numpy as np
import pytest

from metrics.distances.fvd import fvd
from metrics.scoring.measuring import Measurer
from pipeline.clips.files import write_clip
from pipeline.config import params, paths
from pipeline.config.params import load
from pipeline.evaluation import real, reference
from pipeline.evaluation.files import read_reference, write_reference
from pipeline.world.render import render

NUMBERS = [name for name in reference.COLUMNS if name not in ("clip", "content")]


def test_eight_clips_of_the_shipped_reference_are_what_it_says(root: Path, measurer: Measurer, tmp_path: Path) -> None:
    """Rendered and measured anew. The file holds half precision and six digits; another machine may round a pixel the
    other way, so content is not compared."""
    wanted, shipped = load(root / "params.yaml").reference, read_reference(root / paths.REFERENCE)
    texts, scenes = reference.scenes(wanted)
    assert shipped.measured.table["clip"].tolist() == list(texts)
    assert shipped.measured.logits.shape == (wanted.clips, 400)
    rows = np.linspace(0, wanted.clips - 1, 8).astype(int)
    own = {name: texts[name] for name in np.array(list(texts))[rows]}
    found = reference.measure(own, render(scenes[rows]), measurer, tmp_path)
    expected = shipped.measured.table.iloc[rows].reset_index(drop=True)
    np.testing.assert_allclose(found.logits, shipped.measured.logits[rows], rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(
        found.table[NUMBERS].astype(float), expected[NUMBERS].astype(float), rtol=1e-4, atol=2e-5
    )
    assert shipped.protocol == measurer.protocol
    own, theirs = found.provenance, shipped.measured.provenance
    assert (own.weights, own.networks) == (theirs.weights, theirs.networks)  # made by other libraries, on any machine
    assert not list(tmp_path.iterdir())  # clips are not kept


def test_the_reference_is_small(root: Path) -> None:
    assert sum(path.stat().st_size for path in (root / paths.REFERENCE).iterdir()) < 3e6


def test_half_precision_costs_no_digit_that_is_shown(measurer: Measurer, tmp_path: Path) -> None:
    wanted = params.Reference(clips=2, seed=1)
    texts, scenes = reference.scenes(wanted)
    exact = reference.measure(texts, render(scenes), measurer, tmp_path / "clips")
    write_reference(tmp_path / "half", exact.table[list(reference.COLUMNS)], exact, measurer.protocol)
    half = read_reference(tmp_path / "half").measured
    assert half.provenance == exact.provenance
    assert (half.codec, half.decoder) == ("none, rendered", "none")
    assert half.content == exact.content
    side = np.random.default_rng(0).normal(size=(20, 400)) + exact.logits.mean(axis=0)
    assert fvd(side, half.logits) == pytest.approx(fvd(side, exact.logits), rel=1e-3)


def test_clips_that_the_rule_does_not_fit_are_one_sentence(measurer: Measurer, tmp_path: Path) -> None:
    wanted = params.Reference(clips=2, seed=1)
    texts, scenes = reference.scenes(wanted)
    with pytest.raises(ValueError, match=r"reference: 2 clips could not be measured; scene-0000: too short: 4 frames"):
        reference.measure(texts, render(scenes)[:, :4], measurer, tmp_path)


def test_real_videos_that_cannot_be_read_are_counted_and_named(
    measurer: Measurer, clips: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    for i in range(3):
        write_clip(videos / f"{i}.mkv", clips[i], 8)
    write_clip(videos / "short.mkv", clips[3][:4], 8)
    (videos / "torn.mkv").write_bytes(b"no video")
    real.measure(videos, measurer, tmp_path / "features")
    said = capsys.readouterr().err
    assert f"evaluate.reference: {videos}: 2 of 5 real videos could not be measured and are left out" in said
    assert "short: too short: 4 frames" in said
    kept = real.read(tmp_path / "features").measured
    assert (kept.requested, kept.scored, [name for name, _ in kept.errors]) == (5, 3, ["short", "torn"])
    assert "too short" in kept.errors[0][1]
