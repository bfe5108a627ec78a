"""Clips of known motion: a texture that is shifted exactly, in Fourier's space, also by fractions of a pixel."""

import numpy as np
from scipy.ndimage import gaussian_filter


def texture(side: int, blur: float = 2.0, seed: int = 0) -> np.ndarray:
    """(side, side, 3) in [0, 255], smooth and periodic."""
    noise = np.random.default_rng(seed).normal(size=(side, side, 3))
    smooth = gaussian_filter(noise, (blur, blur, 0), mode="wrap")
    return (smooth - smooth.min()) / np.ptp(smooth) * 255


def shifted(image: np.ndarray, dx: float, dy: float) -> np.ndarray:
    """The image moved to the right and down; what leaves it enters at the other side."""
    y, x = (np.fft.fftfreq(n) for n in image.shape[:2])
    phase = np.exp(-2j * np.pi * (x[None, :] * dx + y[:, None] * dy))
    return np.fft.ifft2(np.fft.fft2(image, axes=(0, 1)) * phase[..., None], axes=(0, 1)).real


def eight_bits(image: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def translation(side: int, dx: float, dy: float, frames: int = 5, seed: int = 0) -> np.ndarray:
    """A texture that moves by (dx, dy) pixels a frame: uint8 (frames, side, side, 3)."""
    image = texture(side, 2 if side < 64 else 3, seed)
    return np.stack([eight_bits(shifted(image, dx * t, dy * t)) for t in range(frames)])


def flickering(side: int, by: int, frames: int = 5) -> np.ndarray:
    """A still texture of which every second frame is brighter."""
    image = eight_bits(texture(side, 3) * 0.7 + 10)
    return np.stack([image + np.uint8(by * (t % 2)) for t in range(frames)])
