"""Resize rules against loops over pixels, PIL, and TensorFlow 1's definition."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from metrics.networks.resize import resize
from metrics.networks.rules import Resize


def frame(seed: int, height: int, width: int) -> torch.Tensor:
    return torch.randint(0, 256, (1, height, width, 3), generator=torch.Generator().manual_seed(seed)).byte()


def channels_first(image: torch.Tensor) -> np.ndarray:
    return image[0].movedim(-1, 0).double().numpy()


def bilinear(image: np.ndarray, size: int, half_pixel: bool) -> np.ndarray:
    """Each output pixel on its own, from the definition of where it reads."""
    height, width = image.shape[1:]
    out = np.empty((3, size, size))
    for i in range(size):
        for j in range(size):
            places = []
            for index, length in ((i, height), (j, width)):
                at = (index + 0.5) * length / size - 0.5 if half_pixel else index * length / size
                at = min(max(at, 0), length - 1)
                low = int(np.floor(at))
                places.append((low, min(low + 1, length - 1), at - low))
            (top, bottom, y), (left, right, x) = places
            upper = image[:, top, left] * (1 - x) + image[:, top, right] * x
            lower = image[:, bottom, left] * (1 - x) + image[:, bottom, right] * x
            out[:, i, j] = upper * (1 - y) + lower * y
    return out


@given(seed=st.integers(0, 999), height=st.integers(2, 20), width=st.integers(2, 20), size=st.integers(2, 20))
@settings(max_examples=40)
def test_bilinear_rules_equal_their_definitions(seed: int, height: int, width: int, size: int) -> None:
    image = frame(seed, height, width)
    for rule, half_pixel in ((Resize.SQUASH_BILINEAR, True), (Resize.SQUASH_BILINEAR_TF1, False)):
        expected = bilinear(channels_first(image), size, half_pixel)
        assert resize(image, size, rule)[0].numpy() == pytest.approx(expected, abs=2e-3)


def assert_near(ours: torch.Tensor, pils: np.ndarray) -> None:
    difference = np.abs(ours[0].movedim(0, -1).numpy() - pils)
    assert difference.max() <= 2
    assert difference.mean() < 0.3


@pytest.mark.parametrize(("height", "width"), [(60, 100), (100, 60), (40, 90), (64, 64), (20, 31)])
def test_bicubic_rules_equal_pils(height: int, width: int) -> None:
    """To one or two of 255: PIL and torch round their weights to other numbers of bits."""
    image, short = frame(0, height, width), min(height, width)
    picture = Image.fromarray(image[0].numpy())
    squashed = np.asarray(picture.resize((32, 32), Image.Resampling.BICUBIC), float)
    assert_near(resize(image, 32, Resize.SQUASH_BICUBIC), squashed)
    target = int(width * 32 / short), int(height * 32 / short)
    left, top = ((n - 32) // 2 for n in target)
    middle = picture.resize(target, Image.Resampling.BICUBIC).crop((left, top, left + 32, top + 32))
    assert_near(resize(image, 32, Resize.CENTRE_BICUBIC), np.asarray(middle, float))


@pytest.mark.parametrize(("height", "width"), [(60, 100), (100, 60), (51, 33)])
def test_the_bilinear_centre_is_the_middle_of_the_scaled_frame(height: int, width: int) -> None:
    image, short = frame(3, height, width), min(height, width)
    scaled = [-(-n * 32 // short) for n in (height, width)]
    whole = torch.nn.functional.interpolate(image.movedim(-1, 1).float(), scaled, mode="bilinear")
    top, left = ((n - 32) // 2 for n in scaled)
    expected = whole[..., top : top + 32, left : left + 32]
    assert torch.allclose(resize(image, 32, Resize.CENTRE_BILINEAR), expected, atol=1e-4)


@given(height=st.integers(2, 80), width=st.integers(2, 80), rule=st.sampled_from(Resize))
def test_every_rule_gives_a_square_within_the_range(height: int, width: int, rule: Resize) -> None:
    squares = resize(frame(1, height, width).repeat(2, 1, 1, 1), 24, rule)
    assert squares.shape == (2, 3, 24, 24)
    assert squares.min() >= 0
    assert squares.max() <= 255


def test_centre_rules_cut_the_middle() -> None:
    """A wide frame whose outer thirds are white: its middle is black."""
    image = torch.full((1, 20, 60, 3), 255, dtype=torch.uint8)
    image[:, :, 19:41] = 0
    for rule in (Resize.CENTRE_BILINEAR, Resize.CENTRE_BICUBIC):
        assert float(resize(image, 20, rule)[..., 1:-1].max()) == 0
    assert float(resize(image, 20, Resize.SQUASH_BILINEAR).max()) == 255


@pytest.mark.parametrize("rule", list(Resize))
def test_frames_of_the_right_size_are_untouched(rule: Resize) -> None:
    image = frame(2, 24, 24)
    assert torch.equal(resize(image, 24, rule), image.movedim(-1, 1).float())


@pytest.mark.parametrize(
    ("frames", "found"),
    [
        (torch.rand(2, 8, 8, 3), r"float32 \(2, 8, 8, 3\)"),  # in [0, 1], they would all be black
        (torch.zeros(2, 3, 8, 8, dtype=torch.uint8), r"uint8 \(2, 3, 8, 8\)"),
        (torch.zeros(8, 8, 3, dtype=torch.uint8), r"uint8 \(8, 8, 3\)"),
    ],
)
def test_frames_of_another_type_or_layout_are_refused(frames: torch.Tensor, found: str) -> None:
    for rule in Resize:
        with pytest.raises(ValueError, match=rf"frames are {found}, expected uint8 \(N, H, W, 3\)"):
            resize(frames, 8, rule)
