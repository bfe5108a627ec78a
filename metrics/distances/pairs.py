"""Pixel by pixel: SSIM and PSNR of a clip and its original, by torchmetrics."""

import numpy as np
import torch

from metrics.networks.environment import environment as environment_of
from metrics.reading.errors import VideoError

PAIR = "pair"
CODE = 2  # raise it when `compare` gives other numbers: it names those that are cached
LEAST_SIDE = 11  # pixels of SSIM's window
PSNR_MOST = 100.0  # in dB, the most that a frame counts: an equal one has an infinite PSNR


def environment() -> dict[str, str]:
    """The number of the code, libraries and device."""
    return {"code": str(CODE)} | environment_of("cpu", "torchmetrics")


def compare(clips: np.ndarray, originals: np.ndarray) -> dict[str, np.ndarray]:
    """SSIM and PSNR (dB) of clips uint8 (W, T, H, W', 3) against originals of the same shape.

    Both are means over a window's frames: of SSIM with torchmetrics' defaults (Gaussian window, sigma 1.5), and of
    10 log10(255² / squared error), each at most PSNR_MOST.

    Returns:
        ssim (W,), psnr (W,).

    Raises:
        VideoError: if the sizes differ, or are too small for SSIM's window.
    """
    windows = min(len(clips), len(originals))
    if clips.shape[1:] != originals.shape[1:]:
        (t1, h1, w1, _), (t2, h2, w2, _) = clips.shape[1:], originals.shape[1:]
        raise VideoError(f"{t1} frames of {w1}x{h1} cannot be compared with an original of {t2} frames of {w2}x{h2}")
    if min(clips.shape[2:4]) < LEAST_SIDE:
        raise VideoError(f"{clips.shape[3]}x{clips.shape[2]} pixels, SSIM wants at least {LEAST_SIDE}x{LEAST_SIDE}")
    values = [_compare(clips[i], originals[i]) for i in range(windows)]
    ssim, psnr = zip(*values, strict=True)
    missing = [np.nan] * (len(clips) - windows)
    return {"ssim": np.array([*ssim, *missing]), "psnr": np.array([*psnr, *missing])}


def _compare(clip: np.ndarray, original: np.ndarray) -> tuple[float, float]:
    from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

    a, b = (torch.from_numpy(x).movedim(-1, 1) for x in (clip, original))
    pairs = zip(a.float() / 255, b.float() / 255, strict=True)  # frame by frame: SSIM holds ten times its input
    frames = [structural_similarity_index_measure(x[None], y[None], data_range=1.0) for x, y in pairs]
    ssim = float(torch.stack([torch.as_tensor(value) for value in frames]).mean())
    psnr = peak_signal_noise_ratio(a.float(), b.float(), data_range=255.0, reduction="none", dim=(1, 2, 3))
    return ssim, float(psnr.clamp(max=PSNR_MOST).mean())
