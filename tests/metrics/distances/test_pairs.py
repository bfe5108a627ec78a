"""SSIM and PSNR of clips against their originals."""

import numpy as np
import pytest

from metrics.distances.pairs import PSNR_MOST, compare
from metrics.reading.errors import VideoError


def test_psnr_is_the_mean_over_frames() -> None:
    """Frames of unlike errors: of the whole window's squared error it would be less."""
    rng = np.random.default_rng(0)
    original = rng.integers(40, 210, (2, 3, 24, 32, 3)).astype(np.uint8)
    strength = np.array([2, 10, 40])[:, None, None, None]
    noisy = (original + rng.integers(-strength, strength + 1, original.shape)).astype(np.uint8)
    found = compare(noisy, original)
    errors = ((noisy.astype(float) - original) ** 2).mean(axis=(2, 3, 4))
    assert found["psnr"] == pytest.approx((10 * np.log10(255**2 / errors)).mean(axis=1), abs=1e-3)
    assert (found["psnr"] > 10 * np.log10(255**2 / errors.mean(axis=1)) + 1).all()
    assert (found["ssim"] < 1).all()


def test_a_frame_that_is_equal_counts_the_most() -> None:
    original = np.full((1, 2, 16, 16, 3), 100, np.uint8)
    other = original.copy()
    other[0, 1] += 10
    assert compare(other, original)["psnr"][0] == pytest.approx((PSNR_MOST + 10 * np.log10(255**2 / 100)) / 2, abs=1e-3)


def test_equal_clips_are_equal_and_worse_ones_worse() -> None:
    rng = np.random.default_rng(1)
    original = rng.integers(60, 190, (1, 2, 16, 16, 3)).astype(np.uint8)
    same = compare(original, original)
    assert same["ssim"][0] == pytest.approx(1)
    assert same["psnr"][0] == PSNR_MOST
    ssims = []
    for strength in (5, 20, 60):
        noisy = (original + rng.integers(-strength, strength + 1, original.shape)).clip(0, 255).astype(np.uint8)
        ssims.append(float(compare(noisy, original)["ssim"][0]))
    assert ssims == sorted(ssims, reverse=True)


def test_windows_without_an_original_are_no_number() -> None:
    clips = np.zeros((3, 2, 16, 16, 3), np.uint8)
    assert np.isnan(compare(clips, clips[:2])["ssim"]).tolist() == [False, False, True]


def test_sizes_that_do_not_fit_are_refused() -> None:
    clips = np.zeros((1, 2, 16, 16, 3), np.uint8)
    with pytest.raises(VideoError, match="2 frames of 16x16 cannot be compared with an original of 2 frames of 20x16"):
        compare(clips, np.zeros((1, 2, 16, 20, 3), np.uint8))
    small = clips[:, :, :8, :8]
    with pytest.raises(VideoError, match="8x8 pixels, SSIM wants at least 11x11"):
        compare(small, small)
