"""Frames and pictures as a player shows them: turned and mirrored as their file says, transparency over white."""

from fractions import Fraction
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageOps

from metrics.reading import pixels, video
from metrics.reading.errors import VideoError
from metrics.reading.rule import ClipRule
from metrics.reading.sources import Source, find
from metrics.reading.video import read, read_all, read_at, read_image

UNLIKE = np.zeros((24, 40, 3), np.uint8)  # no two ways to turn it are alike
UNLIKE[:10, :26] = (220, 40, 40)
UNLIKE[16:, 6:14] = (40, 60, 220)
# (degrees counter-clockwise, then mirrored left to right, upside down): each of the eight once
WAYS = [*product((0, 90, 180, 270), (False, True), (False,))]


def written(path: Path, codec: str, pix_fmt: str, frames: np.ndarray, given: str, turn: object = None) -> Path:
    """A video of frames (T, H, W, channels) in a format that numpy knows; turn: a call on the stream."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(8))
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], pix_fmt
        if turn:
            turn(stream)  # type: ignore[operator]
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format=given).reformat(format=pix_fmt)))
        container.mux(stream.encode())
    return path


def shown(stored: np.ndarray, degrees: int, hflip: bool, vflip: bool) -> np.ndarray:
    """Stored pixels, turned and then mirrored."""
    turned = np.rot90(stored, degrees // 90)
    turned = turned[:, ::-1] if hflip else turned
    return turned[::-1] if vflip else turned


@pytest.mark.parametrize(("degrees", "hflip", "vflip"), [*WAYS, (0, False, True)])
def test_videos_are_turned_as_their_display_matrix_says(tmp_path: Path, degrees: int, hflip: bool, vflip: bool) -> None:
    clip = UNLIKE[None].repeat(6, axis=0)
    plain = written(tmp_path / "plain.mp4", "libx264", "yuv444p", clip, "rgb24")
    turned = written(
        tmp_path / "turned.mp4",
        "libx264",
        "yuv444p",
        clip,
        "rgb24",
        lambda stream: stream.set_display_rotation(degrees, hflip=hflip, vflip=vflip),
    )
    stored = read_all(plain)
    assert np.abs(stored.astype(int) - clip).mean() < 4  # a stored picture that is what was drawn
    expected = np.stack([shown(frame, degrees, hflip, vflip) for frame in stored])
    source = Source("turned", turned)
    assert np.array_equal(read_all(turned), expected)
    assert np.array_equal(read(source, ClipRule(frames=4), "pyav").clips[0], expected[:4])
    assert np.array_equal(read_at(source, [0.0, 0.25]), expected[[0, 2]])
    assert read(source, ClipRule(frames=4)).size == ("24x40" if degrees % 180 else "40x24")


def test_the_ways_to_turn_are_eight() -> None:
    assert len({shown(UNLIKE, *way).tobytes() + bytes([way[0] % 180 > 0]) for way in WAYS}) == 8


def test_a_turn_by_no_right_angle_is_refused(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.mp4",
        "libx264",
        "yuv444p",
        UNLIKE[None],
        "rgb24",
        lambda stream: stream.set_display_rotation(30),
    )
    with pytest.raises(VideoError, match=r"a\.mp4: its display matrix is \[\[56.*expected a turn by a right"):
        read_all(path)


@pytest.mark.skipif(find_spec("torchcodec") is None, reason="torchcodec is not installed")
@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_torchcodec_shows_the_same(tmp_path: Path, degrees: int) -> None:
    """By itself, not as `read` uses it."""
    from torchcodec.decoders import VideoDecoder

    path = written(
        tmp_path / "a.mp4",
        "libx264",
        "yuv420p",
        UNLIKE[None],
        "rgb24",
        lambda stream: stream.set_display_rotation(degrees),
    )
    theirs = VideoDecoder(str(path), dimension_order="NHWC")[0].numpy()
    assert np.abs(theirs.astype(int) - read_all(path)[0]).max() <= 2


@pytest.mark.parametrize(("turned", "codec", "pix_fmt"), [(True, "libx264", "yuv420p"), (False, "qtrle", "argb")])
def test_what_torchcodec_would_show_otherwise_pyav_reads(
    tmp_path: Path, turned: bool, codec: str, pix_fmt: str
) -> None:
    way = (lambda stream: stream.set_display_rotation(0, hflip=True)) if turned else None
    odd = written(tmp_path / "odd.mov", codec, pix_fmt, UNLIKE[None], "rgb24", way)
    plain = written(tmp_path / "plain.mov", "libx264", "yuv420p", UNLIKE[None], "rgb24")
    assert not video._plain(odd)
    assert video._plain(plain)


def blended(rgba: np.ndarray) -> np.ndarray:
    """Over white, in floats."""
    alpha = rgba[..., 3:] / 255
    return rgba[..., :3] * alpha + 255 * (1 - alpha)


def ramp() -> np.ndarray:
    """A colour that fades out from left to right."""
    rgba = np.full((16, 32, 4), (200, 30, 90, 255), np.uint8)
    rgba[..., 3] = np.linspace(0, 255, 32).astype(np.uint8)
    return rgba


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"), [("a.mov", "qtrle", "argb"), ("a.mkv", "ffv1", "bgra"), ("b.mov", "png", "rgba")]
)
def test_transparent_videos_are_laid_over_white(tmp_path: Path, name: str, codec: str, pix_fmt: str) -> None:
    path = written(tmp_path / name, codec, pix_fmt, ramp()[None], "rgba")
    assert np.abs(read_all(path)[0] - blended(ramp())).max() <= 1


def test_alpha_that_is_nowhere_set_is_an_unused_byte(tmp_path: Path) -> None:
    """32-bit uncompressed AVI: FFmpeg calls its fourth byte alpha."""
    unused = np.concatenate([UNLIKE, np.zeros((*UNLIKE.shape[:2], 1), np.uint8)], axis=2)
    path = written(tmp_path / "a.avi", "rawvideo", "bgra", unused[None], "rgba")
    assert np.array_equal(read_all(path)[0], UNLIKE)


def test_a_gif_is_laid_over_white(tmp_path: Path) -> None:
    """Transparent where the palette says so; a picture of it as PNG gives the same."""
    drawn = np.zeros((12, 20, 4), np.uint8)
    drawn[3:9, 4:12] = (255, 0, 0, 255)
    pictures = [Image.fromarray(np.roll(drawn, shift, axis=1)) for shift in (0, 3)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], disposal=2, duration=125)
    found = read_all(tmp_path / "a.gif")
    for frame, picture in zip(found, pictures, strict=True):
        assert np.array_equal(frame, blended(np.asarray(picture)).astype(np.uint8))
    pictures[0].save(tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png"), found[0])


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA", "RGB with a transparent colour"])
def test_transparent_pictures_are_laid_over_white(tmp_path: Path, mode: str) -> None:
    picture = Image.fromarray(ramp())
    options: dict[str, object] = {}
    if mode == "RGB with a transparent colour":
        picture, options = Image.fromarray(UNLIKE), {"transparency": (0, 0, 0)}
    elif mode == "P":
        picture, options = Image.fromarray(UNLIKE).quantize(8), {"transparency": 0}
    elif mode != "RGBA":
        picture = picture.convert(mode)
    path = tmp_path / ("a.tif" if mode == "PA" else "a.png")
    picture.save(path, **options)
    with Image.open(path) as image:
        expected = blended(np.asarray(image.convert("RGBA")))
        assert expected.std() > 0
        assert (np.asarray(image.convert("RGBA"))[..., 3] < 255).any()
    assert np.abs(read_image(path) - expected).max() <= 1
    (source,) = find(path.parent) if mode != "PA" else (Source("a", path.parent),)
    assert np.array_equal(read(source, ClipRule(frames=1)).clips[0, 0], read_image(path))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_exif_says(tmp_path: Path, orientation: int) -> None:
    """Each is stored so that what EXIF says gives the picture back (EXIF 2.32, 4.6.4, tag 274)."""
    undo = {  # what the camera did to the scene, by which corner row 0 and column 0 stand for
        1: lambda x: x,
        2: lambda x: x[:, ::-1],
        3: lambda x: x[::-1, ::-1],
        4: lambda x: x[::-1],
        5: lambda x: x.swapaxes(0, 1),
        6: lambda x: np.rot90(x, 1),
        7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
        8: lambda x: np.rot90(x, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("a.png", "a.tif", "a.webp"):
        Image.fromarray(np.ascontiguousarray(undo(UNLIKE))).save(tmp_path / name, exif=exif, lossless=True)
        assert np.array_equal(read_image(tmp_path / name), UNLIKE), name
    assert np.array_equal(pixels.of_image(Image.fromarray(UNLIKE)), UNLIKE)
    assert ImageOps.exif_transpose(Image.open(tmp_path / "a.png")).size == (40, 24)
