"""Clips for browsers are alike in all but what they show."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.reading.sources import Source
from metrics.reading.video import read_all, timing
from pipeline.clips.files import write_clip
from pipeline.study import clips, design, media
from pipeline.study.design import BROKEN, StudyError
from pipeline.study.encoding import write_for_browsers
from tests.pipeline.study.videos import write_study, write_videos

NO_FIELDS = b"\x00\x00\x00\x08ilst"  # the list of metadata, with nothing in it


@pytest.fixture
def material(tmp_path: Path) -> tuple[design.Study, clips.Material]:
    """A study whose methods differ in size and rate."""
    path = write_study(tmp_path, "best_of", prompts=4)
    for file in (tmp_path / "theirs").iterdir():
        file.unlink()
    write_videos(tmp_path / "theirs", 4, size=32, frames=8, fps=16, seed=1)
    study = design.read(path)
    return study, clips.resolve(study, tmp_path)


def test_all_clips_have_one_size_one_rate_and_no_metadata(material: tuple, tmp_path: Path) -> None:
    study, found = material
    screen = media.screen(found)
    assert screen == media.Screen(256, 256, 16.0, True)
    files = media.prepare(study, found, screen, tmp_path / "out")
    assert set(files) == {(item.id, name) for item in found.items for name in (*study.methods, BROKEN)}
    for file in files.values():
        path = tmp_path / "out" / file
        frames, time = read_all(path), timing(Source("", path))
        assert frames.shape == (8, 256, 256, 3)
        assert (time.rate, time.seconds) == (16, 0.5)
        raw = path.read_bytes()
        assert raw.index(b"moov") < raw.index(b"mdat")  # plays before it is whole
        assert NO_FIELDS in raw and raw.count(b"ilst") == 1


def test_names_of_files_say_nothing(material: tuple, tmp_path: Path) -> None:
    study, found = material
    files = media.prepare(study, found, media.screen(found), tmp_path / "out")
    for (item, method), file in files.items():
        stem = file.removesuffix(".mp4")
        assert len(stem) == 12 and set(stem) <= set("0123456789abcdef")
        assert item not in file and method not in file


def test_what_is_there_is_not_written_again(material: tuple, tmp_path: Path) -> None:
    study, found = material
    files = media.prepare(study, found, media.screen(found), tmp_path / "out")
    for file in set(files.values()):
        (tmp_path / "out" / file).write_text("kept")
    assert media.prepare(study, found, media.screen(found), tmp_path / "out") == files
    assert {path.read_text() for path in (tmp_path / "out").iterdir()} == {"kept"}


def test_single_pixels_are_seen_as_they_are(material: tuple, tmp_path: Path) -> None:
    """Enlarged 16 times and compressed, the middle of each block is the pixel, give or take what H.264 loses."""
    study, found = material
    files = media.prepare(study, found, media.screen(found), tmp_path / "out")
    shown = read_all(tmp_path / "out" / files["clip-000", "ours"])[0, 8::16, 8::16].astype(int)
    source = read_all(found.clips["clip-000", "ours"].source)[0].astype(int)
    assert np.abs(shown - source).mean() < 6


def test_broken_clips_have_the_colours_and_not_the_shape() -> None:
    frames = np.zeros((4, 64, 48, 3), np.uint8)
    frames[:, :20, :20] = (250, 40, 10)
    broken = media.shuffled(frames, 3)
    assert broken.shape == frames.shape
    for whole, shown in zip(frames, broken, strict=True):
        assert sorted(map(bytes, shown.reshape(-1, 3))) == sorted(map(bytes, whole.reshape(-1, 3)))
    assert np.abs(broken.astype(int) - frames).mean() > 10
    assert not np.array_equal(broken[0], broken[1])
    assert np.array_equal(broken, media.shuffled(frames, 3))


@given(
    st.integers(1, 40), st.sampled_from([1.0, 6.0, 8.0, 12.5, 24.0, 30.0]), st.sampled_from([1.0, 2.0, 2.5, 3.0, 4.0])
)
def test_a_moment_shows_the_frame_that_stood_there(count: int, rate: float, factor: float) -> None:
    frames = np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1)
    wanted = rate * factor
    shown = media.retimed(frames, rate, wanted).ravel()
    assert abs(len(shown) - count * factor) <= 0.5
    for place, frame in enumerate(shown):
        assert frame == min(count - 1, int(place / factor + 1e-9))


def test_clips_of_one_rate_stay_as_they_are() -> None:
    frames = np.arange(7, dtype=np.uint8).reshape(-1, 1, 1, 1)
    assert np.array_equal(media.retimed(frames, 8.0, 8.0), frames)


@pytest.mark.parametrize(
    ("size", "rows", "columns"),
    [
        ((4, 8), slice(2, 6), slice(0, 8)),  # fills the width
        ((8, 4), slice(0, 8), slice(2, 6)),
        ((2, 2), slice(0, 8), slice(0, 8)),  # four times as large
        ((16, 8), slice(0, 8), slice(2, 6)),  # smaller
    ],
)
def test_a_frame_stands_in_the_middle(size: tuple[int, int], rows: slice, columns: slice) -> None:
    shown = media.fitted(np.full((*size, 3), 200, np.uint8), 8, 8)
    inside = np.zeros((8, 8), bool)
    inside[rows, columns] = True
    assert (shown[inside] == 200).all() and (shown[~inside] == 0).all()


def test_the_canvas_is_of_the_largest_and_even(tmp_path: Path) -> None:
    path = write_study(tmp_path, "best_of", prompts=4)
    for number in range(4):
        write_clip(tmp_path / f"theirs/clip-{number:03d}.mkv", np.zeros((3, 275, 411, 3), np.uint8), 8)
    found = clips.resolve(design.read(path), tmp_path)
    assert media.screen(found) == media.Screen(412, 276, 8.0, False)


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    path = write_study(tmp_path, "best_of", prompts=4)
    (tmp_path / "theirs/clip-001.mkv").write_bytes(b"no video")
    with pytest.raises(StudyError, match="clips: clip-001 of theirs: cannot be decoded"):
        media.screen(clips.resolve(design.read(path), tmp_path))


def test_files_for_browsers_are_decided_by_their_pixels(tmp_path: Path) -> None:
    clip = np.random.default_rng(0).integers(0, 255, (3, 16, 16, 3), np.uint8)
    for name in ("a.mp4", "b.mp4"):
        write_for_browsers(tmp_path / name, clip, 12.5)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert timing(Source("", tmp_path / "a.mp4")).rate == 12.5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize("shape", [(0, 16, 16, 3), (3, 15, 16, 3), (3, 16, 15, 3), (3, 16, 16, 1), (16, 16, 3)])
def test_a_clip_of_another_shape_is_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.mp4: a clip must be uint8 \(T, even H, even W, 3\), found") as error:
        write_for_browsers(tmp_path / "a.mp4", np.zeros(shape, np.uint8), 8)
    assert str(error.value).endswith(f"found uint8 {shape}")
    assert not list(tmp_path.iterdir())
