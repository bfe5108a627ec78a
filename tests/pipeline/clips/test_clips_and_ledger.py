from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.reading.video import read_all
from pipeline.clips import ledger
from pipeline.clips.files import copy_clip, write_clip


@given(
    frames=st.integers(1, 5),
    height=st.integers(1, 40),
    width=st.integers(2, 40),
    seed=st.integers(0, 10**6),
    fps=st.integers(1, 60),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_clips_are_lossless(tmp_path: Path, frames: int, height: int, width: int, seed: int, fps: int) -> None:
    clip = np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3)).astype(np.uint8)
    write_clip(tmp_path / "clip.mkv", clip, fps)
    assert np.array_equal(read_all(tmp_path / "clip.mkv"), clip)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mkv"]


def test_equal_clips_are_equal_files(tmp_path: Path) -> None:
    """Fingerprints name clips by their files' content."""
    clip = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3)).astype(np.uint8)
    for name in ("a.mkv", "b.mkv"):
        write_clip(tmp_path / name, clip, 8)
    assert (tmp_path / "a.mkv").read_bytes() == (tmp_path / "b.mkv").read_bytes()


def test_files_are_brought_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"anything")
    copy_clip(tmp_path / "a.mp4", tmp_path / "out/b.mp4")
    assert (tmp_path / "out/b.mp4").read_bytes() == b"anything"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.mp4"]


def test_other_arrays_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"uint8 \(T, H, W >= 2, 3\), found float64"):
        write_clip(tmp_path / "x.mkv", np.zeros((2, 8, 8, 3)), 8)


def entry(clip: str, outcome: str = ledger.OK) -> ledger.Entry:
    return ledger.Entry(clip, "m", "s/x", 0, "", "a “quoted” prompt", "caption", "w", "f", 0.5, outcome)


def test_the_last_line_of_a_clip_counts(tmp_path: Path) -> None:
    for e in (entry("a", "OSError: full"), entry("b"), entry("a")):
        ledger.append(tmp_path, e)
    assert ledger.read(tmp_path) == {"a": entry("a"), "b": entry("b")}


def test_a_line_cut_short_by_a_kill_is_dropped(tmp_path: Path) -> None:
    ledger.append(tmp_path, entry("a"))
    whole = (tmp_path / ledger.FILE).read_text()
    ledger.append(tmp_path, entry("b"))
    path = tmp_path / ledger.FILE
    path.write_text(path.read_text()[: len(whole) + 30])
    assert list(ledger.read(tmp_path)) == ["a"]


def test_rewriting_leaves_exactly_these_entries(tmp_path: Path) -> None:
    ledger.append(tmp_path, entry("a"))
    ledger.rewrite(tmp_path, [entry("c"), entry("b")])
    assert list(ledger.read(tmp_path)) == ["c", "b"]
    assert ledger.read(tmp_path / "nowhere") == {}
