"""Reading: every container, frames and arrays give the same clip; what cannot be read says why."""

import os
import zipfile
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.numpy import save_file

from metrics.reading import pixels, video
from metrics.reading.errors import VideoError
from metrics.reading.rule import ClipRule
from metrics.reading.sources import Source, find, source_hash
from metrics.reading.video import read, read_all

RULE = ClipRule(frames=4)


def moving(frames: int = 12, height: int = 48, width: int = 64) -> np.ndarray:
    """A bright bar that moves over a smooth ground: kind to lossy codecs."""
    clip = np.zeros((frames, height, width, 3), np.uint8)
    clip[..., 2] = np.linspace(40, 120, width).astype(np.uint8)
    for t in range(frames):
        clip[t, :, 4 * t : 4 * t + 12] = (200, 160, 40)
    return clip


def encode(path: Path, clip: np.ndarray, codec: str, pix_fmt: str, metadata: dict[str, str] | None = None) -> Path:
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=Fraction(8))
        stream.height, stream.width, stream.pix_fmt = *clip.shape[1:3], pix_fmt
        for frame in clip:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format=pix_fmt)))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "tolerance"),
    [
        ("a.mkv", "ffv1", "bgr0", 0),
        ("a.mp4", "libx264", "yuv420p", 60),
        ("a.mov", "libx264", "yuv420p", 60),
        ("a.avi", "mpeg4", "yuv420p", 60),
        ("a.webm", "libvpx-vp9", "yuv420p", 60),
        ("a.gif", "gif", "rgb8", 100),
    ],
)
def test_every_container_is_read(tmp_path: Path, name: str, codec: str, pix_fmt: str, tolerance: int) -> None:
    clip = moving()
    encode(tmp_path / name, clip, codec, pix_fmt)
    (source,) = find(tmp_path)
    found = read(source, RULE)
    assert found.clips.shape == (1, 4, 48, 64, 3)
    assert found.codec == {"libx264": "h264", "libvpx-vp9": "vp9"}.get(codec, codec)
    difference = np.abs(found.clips[0].astype(int) - clip[:4])
    assert difference.max() <= tolerance
    assert difference.mean() <= tolerance / 5


def test_frames_and_arrays_hold_the_same_clip(tmp_path: Path) -> None:
    clip = moving()
    (tmp_path / "frames").mkdir()
    for i, frame in enumerate(clip):
        Image.fromarray(frame).save(tmp_path / f"frames/f{i}.png")  # f10 comes after f9, not after f1
    np.save(tmp_path / "one.npy", clip)
    np.save(tmp_path / "first.npy", clip.transpose(3, 0, 1, 2))
    np.save(tmp_path / "second.npy", clip.transpose(0, 3, 1, 2))
    np.save(tmp_path / "float.npy", clip.astype(np.float32) / 255)
    np.save(tmp_path / "many.npy", np.stack([clip[::-1], clip]))
    np.savez(tmp_path / "named.npz", x=clip, y=clip[:2])
    np.savez_compressed(tmp_path / "packed.npz", x=np.stack([clip[::-1], clip]))
    save_file({"v": clip}, tmp_path / "t.safetensors")
    sources = {source.id: source for source in find(tmp_path)}
    arrays = ["many/00000", "many/00001", "named/x", "named/y", "one", "packed/00000", "packed/00001", "second", "t"]
    assert list(sources) == ["first", "float", "frames", *arrays]
    for name in ("first", "float", "frames", "many/00001", "named/x", "one", "packed/00001", "second", "t"):
        assert np.array_equal(read(sources[name], RULE).clips[0], clip[:4]), name
        assert np.array_equal(read_all(sources[name]), clip), name
    with pytest.raises(VideoError, match="too short: 2 frames, expected 4 frames"):
        read(sources["named/y"], RULE)
    assert len({source_hash(source) for source in sources.values()}) == len(sources)


@given(
    rule=st.builds(
        ClipRule, frames=st.integers(1, 6), start=st.integers(0, 4), stride=st.integers(1, 3), windows=st.integers(1, 4)
    ),
    length=st.integers(1, 30),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_clips_are_the_frames_of_the_rule(tmp_path: Path, rule: ClipRule, length: int) -> None:
    clip = np.arange(length, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    encode(tmp_path / "a.mkv", clip, "ffv1", "bgr0")
    np.save(tmp_path / "b.npy", clip)
    expected = [list(rule.window(i)) for i in range(rule.fitting(length))]
    for source in find(tmp_path):
        if not expected:
            with pytest.raises(VideoError, match=f"too short: {length} frames, expected {rule.frames} frames"):
                read(source, rule)
        else:
            assert read(source, rule).clips[:, :, 0, 0, 0].tolist() == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.mp4", b"", "the file is empty"),
        ("a.mp4", b"no video at all", "cannot be decoded"),
        ("a.npz", b"PK", "cannot be decoded"),
        ("a.safetensors", b"x" * 40, "cannot be decoded"),
        ("a.npy", b"\x93NUMPY", "cannot be decoded"),
    ],
)
def test_damaged_files_say_why(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    (source,) = find(tmp_path)
    with pytest.raises(VideoError, match=message):
        read(source, RULE)


def test_a_file_that_breaks_off_gives_what_lies_before(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (12, 64, 64, 3)).astype(np.uint8)
    path = encode(tmp_path / "a.mkv", noise, "ffv1", "bgr0")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (source,) = find(tmp_path)
    assert np.array_equal(read(source, RULE).clips[0], noise[:4])
    with pytest.raises(VideoError, match=r"too short|damaged after frame"):
        read(source, ClipRule(frames=12))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 8, 8, 4), np.uint8), r"shape \(4, 8, 8, 4\), expected one of \(T, H, W, 3\), \(T, 3"),
        (np.zeros((3, 3, 8, 8), np.uint8), r"\(3, 3, 8, 8\) may be \(T, 3, H, W\) or \(3, T, H, W\): store it as"),
        (np.zeros((5, 3, 8, 3), np.uint8), r"\(5, 3, 8, 3\) may be \(T, H, W, 3\) or \(T, 3, H, W\): store it as"),
        (np.zeros((8, 8, 3), np.uint8), r"shape \(8, 8, 3\), expected one of"),
        (np.full((4, 8, 8, 3), -1.0), r"floats in \[-1, -1\], expected \[0, 1\]"),
        (np.full((4, 8, 8, 3), 2.0), r"floats in \[2, 2\], expected \[0, 1\]"),
        (np.full((4, 8, 8, 3), np.nan), "expected"),
        (np.zeros((4, 8, 8, 3), int), "expected uint8 or float"),
        (np.asfortranarray(np.zeros((4, 8, 8, 3), np.uint8)), "Fortran"),
        (np.array([None] * 192).reshape(1, 8, 8, 3), "Python objects"),
    ],
)
def test_other_arrays_say_what_was_expected(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    (source,) = find(tmp_path)
    with pytest.raises(VideoError, match=message):
        read(source, ClipRule(frames=1))


def test_frames_of_unlike_sizes_are_refused(tmp_path: Path) -> None:
    for i, size in enumerate([(8, 8), (9, 8)]):
        Image.new("RGB", size).save(tmp_path / f"{i}.png")
    (source,) = find(tmp_path)
    assert source.id == tmp_path.name
    with pytest.raises(VideoError, match="change their size: 8x8, 9x8"):
        read(source, ClipRule(frames=2))


def test_names_and_metadata_need_not_be_text(tmp_path: Path) -> None:
    """HMDB51 has such file names; a title in latin-1 is common."""
    path = encode(tmp_path / "plain.mkv", moving(), "ffv1", "bgr0", {"title": "XXXX"})
    raw = path.read_bytes()
    assert b"XXXX" in raw
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mkv"))
    odd.write_bytes(raw.replace(b"XXXX", b"\xe9\xff\xfe\xe8"))
    path.unlink()
    (source,) = find(tmp_path)
    assert source.id == "caf\ufffd"
    source.id.encode("utf-8")
    assert np.array_equal(read(source, RULE).clips[0], moving()[:4])


def test_folders_are_searched_and_hidden_files_left_out(tmp_path: Path) -> None:
    for name in ("b/x2.mkv", "b/x10.mkv", "a.mkv", ".hidden.mkv", "b/.part/x.mkv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "captions.csv").write_text("")
    assert [source.id for source in find(tmp_path)] == ["a", "b/x2", "b/x10"]
    assert find(tmp_path / "a.mkv")[0].stem == "a"
    with pytest.raises(VideoError, match="no such file or folder"):
        find(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(VideoError, match="no video found"):
        find(tmp_path / "empty")


def test_the_source_hash_follows_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    path.write_bytes(b"one")
    first = source_hash(Source("a", path))
    (tmp_path / "b.mkv").write_bytes(b"one")
    assert source_hash(Source("b", tmp_path / "b.mkv")) == first
    path.write_bytes(b"two")
    assert source_hash(Source("a", path)) != first
    with pytest.raises(VideoError, match="cannot be read"):
        source_hash(Source("c", tmp_path / "c.mkv"))


def test_arrays_in_an_archive_are_read_one_at_a_time(tmp_path: Path) -> None:
    clips = np.random.default_rng(0).integers(0, 256, (5, 4, 8, 8, 3)).astype(np.uint8)
    np.savez_compressed(tmp_path / "a.npz", clips)
    assert zipfile.ZipFile(tmp_path / "a.npz").namelist() == ["arr_0.npy"]
    found = np.stack([read(source, RULE).clips[0] for source in find(tmp_path)])
    assert np.array_equal(found, clips)


def test_what_lies_beside_videos_is_no_clip(tmp_path: Path) -> None:
    """Thumbnails beside videos; a frame rate beside the array in an archive."""
    encode(tmp_path / "a.mkv", moving(), "ffv1", "bgr0")
    Image.fromarray(moving()[0]).save(tmp_path / "a.png")
    np.savez(tmp_path / "b.npz", video=moving(), fps=np.float64(8))
    assert [source.id for source in find(tmp_path)] == ["a", "b"]


def test_like_names_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    Image.fromarray(moving()[0]).save(tmp_path / "a/0.png")
    for name in ("a.npy", "b.npy"):
        np.save(tmp_path / name, moving())
    np.savez(tmp_path / "a.npz", moving())
    for byte in (b"\xe9", b"\xe8"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf" + byte + b".npy")).write_bytes(
            (tmp_path / "a.npy").read_bytes()
        )
    found = [source.id for source in find(tmp_path)]
    assert len(set(found)) == 6
    assert {"a", "a.npy", "a.npz", "b"} <= set(found) | {"a"}
    assert "b" in found


def test_odd_data_is_an_error_and_nothing_else(tmp_path: Path) -> None:
    """Types that numpy does not know, frames with a broken chunk, 16 bits, arrays without a pixel."""
    import torch
    from safetensors.torch import save_file as save_tensors

    save_tensors({"v": torch.zeros(4, 8, 8, 3, dtype=torch.bfloat16)}, tmp_path / "half.safetensors")
    np.save(tmp_path / "flat.npy", np.zeros((4, 0, 8, 3), np.uint8))
    for name, content in (("broken", b"\x89PNG\r\n\x1a\n" + b"\0" * 20), ("deep", None)):
        (tmp_path / name).mkdir()
        if content:
            (tmp_path / name / "0.png").write_bytes(content)
        else:
            Image.fromarray(np.full((8, 8), 40_000, np.uint16)).save(tmp_path / name / "0.png")
    sources = find(tmp_path)
    assert [source.id for source in sources] == ["broken", "deep", "flat", "half"]
    for source in sources:
        with pytest.raises(VideoError):
            read(source, ClipRule(frames=1))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted by Linux")
def test_workers_that_share_the_cores_start_no_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither decoding nor the way to RGB, which by default has a thread on each core for every frame."""
    running, pack = [], video._pack

    def counting(*given: object) -> np.ndarray:
        running.append(len(list(Path("/proc/self/task").iterdir())))
        return pack(*given)

    path = encode(tmp_path / "a.mp4", moving(height=240, width=320), "libx264", "yuv420p")
    monkeypatch.setattr(video, "_pack", counting)
    before = len(list(Path("/proc/self/task").iterdir()))
    read(Source("a", path), RULE, "pyav")
    assert running == [before]


def test_the_decoder_is_named_with_its_version() -> None:
    libavcodec = ".".join(map(str, av.library_versions["libavcodec"]))
    assert video.decoder_version("pyav") == f"pyav {av.__version__}, libavcodec {libavcodec}, {pixels.RULE}"
    with pytest.raises(VideoError, match="no decoder 'decord', expected one of pyav, torchcodec"):
        video.decoder_version("decord")


@pytest.mark.skipif(find_spec("torchcodec") is None, reason="torchcodec is not installed")
def test_torchcodec_decodes_the_same_frames(shared: Path) -> None:
    assert video.best_decoder() == "torchcodec"
    for source in find(shared / "data/clips"):
        try:
            expected = read(source, ClipRule(), "pyav").clips
        except VideoError as error:
            with pytest.raises(VideoError, match=str(error)):
                read(source, ClipRule(), "torchcodec")
        else:
            assert np.array_equal(read(source, ClipRule(), "torchcodec").clips, expected), source.id


def test_without_torchcodec_pyav_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "find_spec", lambda name: None)
    video.best_decoder.cache_clear()
    assert video.best_decoder() == "pyav"
    monkeypatch.undo()
    video.best_decoder.cache_clear()
    if find_spec("torchcodec") is None:
        assert video.best_decoder() == "pyav"
        with pytest.raises(VideoError, match="torchcodec is not installed"):
            video.decoder_version("torchcodec")
