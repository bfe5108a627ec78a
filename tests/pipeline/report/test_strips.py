from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.clips.files import write_clip
from pipeline.report.strips import MAX_SIDE, Card, Shot, write_picture, write_pictures


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
