from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.clips.files import write_clip
from pipeline.report.strips import (
    MAX_SIDE,
    Card,
    Shot,
    Slice,
    changing_line,
    time_slice,
    write_picture,
    write_pictures,
)


def test_pictures_are_the_clip_itself(tmp_path: Path) -> None:
    clip = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3)).astype(np.uint8)
    write_picture(clip, tmp_path / "x.webp", 8)
    with Image.open(tmp_path / "x.webp") as picture:
        assert picture.n_frames == 5
        for i in range(5):
            picture.seek(i)
            assert np.array_equal(np.asarray(picture.convert("RGB")), clip[i])
        assert picture.info["duration"] == 125


def test_large_clips_are_scaled_down(tmp_path: Path) -> None:
    write_picture(np.zeros((2, 480, 720, 3), np.uint8), tmp_path / "x.webp", 8)
    with Image.open(tmp_path / "x.webp") as picture:
        assert picture.size == (MAX_SIDE, 240)


def test_every_clip_that_exists_has_its_picture(tmp_path: Path) -> None:
    source = tmp_path / "clips/x-s0.mkv"
    write_clip(source, np.full((4, 16, 16, 3), 99, np.uint8), 8)
    made, failed = Shot("a", "m", source, 8), Shot("b", "m", source.with_name("y-s0.mkv"), 8)
    write_pictures([Card("one", [made, failed]), Card("two", [made])], tmp_path / "report")
    assert (made.made, failed.made) == (True, False)
    assert [path.name for path in (tmp_path / "report/assets/clips").iterdir()] == ["m-x-s0.webp"]
    assert (tmp_path / "report" / made.picture).is_file()


def test_a_slice_is_the_line_along_which_something_moves(tmp_path: Path) -> None:
    """A dot that goes right in row 5 is a diagonal; in a clip on its side it goes down in column 5."""
    clip = np.zeros((8, 12, 12, 3), np.uint8)
    for t in range(8):
        clip[t, 5, t + 1] = 200
    expected = np.zeros((8, 12, 3), np.uint8)
    expected[np.arange(8), np.arange(8) + 1] = 200
    line = changing_line(clip, across=True)
    assert line == changing_line(clip.swapaxes(1, 2), across=False)
    assert np.array_equal(time_slice(clip, True, line), expected)
    assert np.array_equal(time_slice(clip.swapaxes(1, 2), False, line), expected)
    write_clip(tmp_path / "c.mkv", clip, 8)
    made = Slice("a", "method", tmp_path / "c.mkv", 8, across=True, line=line)
    write_pictures([Card("t", [made, Shot("a", "method", tmp_path / "c.mkv", 8)])], tmp_path)
    with Image.open(tmp_path / made.picture) as picture:
        assert getattr(picture, "n_frames", 1) == 1
        small = picture.convert("RGB").resize((12, 8), Image.Resampling.NEAREST)
        assert np.array_equal(np.asarray(small), expected)
    assert len(list((tmp_path / "assets/clips").iterdir())) == 2
