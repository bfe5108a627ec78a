"""Pixel by pixel: SSIM and PSNR of a clip and its original, by torchmetrics."""

from collections.abc import Sequence

import numpy as np
import torch

from metrics.networks.environment import environment as environment_of
from metrics.reading.errors import VideoError

PAIR = "pair"
MEASURES = ("ssim", "psnr")
CODE = 2  # raise it when `compare` gives other numbers: it names those that are cached
LEAST_SIDE = 11  # pixels of SSIM's window
PSNR_MOST = 100.0  # in dB, the most that a frame counts: an equal one has an infinite PSNR


def environment() -> dict[str, str]:
    """The number of the code, libraries and device."""
    return {"code": str(CODE)} | environment_of("cpu", "torchmetrics")


def compare(clips: np.ndarray, originals: np.ndarray, names: Sequence[str] = MEASURES) -> dict[str, np.ndarray]:
    """SSIM and PSNR (dB) of clips uint8 (W, T, H, W', 3) against originals of the same shape.

    Both are means over a window's frames: of SSIM with torchmetrics' defaults (Gaussian window, sigma 1.5), and of
    10 log10(255² / squared error), each at most PSNR_MOST.

    Args:
        names: of MEASURES, those that are wanted: SSIM takes thirty times as long as PSNR.

    Returns:
        (W,) for each name.

    Raises:
        VideoError: if the sizes differ, or are too small for SSIM's window and it is wanted.
    """
    windows = min(len(clips), len(originals))
    if clips.shape[1:] != originals.shape[1:]:
        (t1, h1, w1, _), (t2, h2, w2, _) = clips.shape[1:], originals.shape[1:]
        raise VideoError(f"{t1} frames of {w1}x{h1} cannot be compared with an original of {t2} frames of {w2}x{h2}")
    if "ssim" in names and min(clips.shape[2:4]) < LEAST_SIDE:
        raise VideoError(f"{clips.shape[3]}x{clips.shape[2]} pixels, SSIM wants at least {LEAST_SIDE}x{LEAST_SIDE}")
    missing = [np.nan] * (len(clips) - windows)
    measures = {name: {"ssim": _ssim, "psnr": _psnr}[name] for name in names}
    return {
        name: np.array([*(measure(clips[i], originals[i]) for i in range(windows)), *missing])
        for name, measure in measures.items()
    }


def _ssim(clip: np.ndarray, original: np.ndarray) -> float:
    from torchmetrics.functional.image import structural_similarity_index_measure

    pairs = zip(*(frames / 255 for frames in _frames(clip, original)), strict=True)  # SSIM holds ten times its input
    values = [structural_similarity_index_measure(x[None], y[None], data_range=1.0) for x, y in pairs]
    return float(torch.stack([torch.as_tensor(value) for value in values]).mean())


def _psnr(clip: np.ndarray, original: np.ndarray) -> float:
    from torchmetrics.functional.image import peak_signal_noise_ratio

    pair = _frames(clip, original)
    psnr = peak_signal_noise_ratio(*pair, data_range=255.0, reduction="none", dim=(1, 2, 3))
    return float(psnr.clamp(max=PSNR_MOST).mean())


def _frames(*clips: np.ndarray) -> list[torch.Tensor]:
    """Clips uint8 (T, H, W, 3) as float (T, 3, H, W) in [0, 255]."""
    return [torch.from_numpy(clip).movedim(-1, 1).float() for clip in clips]
