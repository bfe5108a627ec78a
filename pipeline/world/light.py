"""The light on an object, from pixels alone: how it falls from front to rear, and what each pixel owes to the object.

The judge's first guess of an object is enough to find it (`pipeline.world.judge`); this is the exact reading.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

MIN_DISTANCE = 0.15  # a frame whose brightest departure from the background is below this shows nothing
MIN_INSIDE = 8  # pixels; with fewer inside it, an object's light is not measured
DARKEST = 0.3  # light at the rear, of that at the front: what is darker is not taken for shading
K_PENALTY = 1e-4  # of the darkest channel's variance inside the object: stripes have more, rounding has less


@dataclass(frozen=True)
class _Surface:
    """How bright the objects of F frames are without their stripes.

    signal (F, H, W): brightest - k x darkest channel; ground (F, 1, 1): the background's signal; plane (F, H, W): the
    signal of a pixel that the object covers whole; slope (2, F, 1, 1) of the plane, per pixel; extent (F, 1, 1): mean
    half-width of the object in pixels; fitted (F, 1, 1) bool: it has an inside, and that is brighter than the ground;
    front (F, 1, 1): the plane where it is brightest, 1 where nothing was fitted.
    """

    signal: np.ndarray
    ground: np.ndarray
    plane: np.ndarray
    slope: np.ndarray
    extent: np.ndarray
    fitted: np.ndarray
    front: np.ndarray


def shaded(frames: np.ndarray, guess: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The largest object's coverage (F, H, W), its light (F, H, W), 1 at its front, and its heading (F, 2).

    The heading is the direction to the bright front, times the share by which the rear is darker; NaN where it cannot
    be measured, and there the coverage is the guess.

    Args:
        frames: (F, H, W, 3) in [0, 1]. guess: a first coverage (F, H, W) in [0, 1]. mask: the object (F, H, W), bool.
    """
    surface = _surface(frames, mask)
    light = _light(surface)
    exact = np.where(surface.fitted, _coverage(surface, light), guess)
    return np.where(_with_rim(mask), exact, 0.0), light, _heading(surface)


def brightest(frames: np.ndarray) -> np.ndarray:
    """Largest channel (F, H, W): several times faster than a reduction over three values."""
    return np.maximum(np.maximum(frames[..., 0], frames[..., 1]), frames[..., 2])


def darkest(frames: np.ndarray) -> np.ndarray:
    """Smallest channel (F, H, W)."""
    return np.minimum(np.minimum(frames[..., 0], frames[..., 1]), frames[..., 2])


def _surface(frames: np.ndarray, mask: np.ndarray) -> _Surface:
    """Fit the plane of light to the objects in masks (F, H, W) of frames (F, H, W, 3).

    Light multiplies all channels, white stripes pull them to 1: brightest - k x darkest channel does not see stripes,
    with the k that makes it most nearly a plane inside the object. The plane is what a covered pixel has.
    """
    high, low = brightest(frames), darkest(frames)
    dx, dy, extent = _seen_from_centre(mask)
    inside = _inside(mask)
    k, level, slope = _plane(high, low, dx, dy, inside)
    signal = high - k * low
    ground = np.median(signal, axis=(1, 2), keepdims=True)
    fitted = inside.any(axis=(1, 2), keepdims=True) & (level - ground >= MIN_DISTANCE / 2)
    front = np.where(fitted, level + np.hypot(*slope) * extent, 1.0)
    return _Surface(signal, ground, slope[0] * dx + slope[1] * dy + level, slope, extent, fitted, front)


def _light(surface: _Surface) -> np.ndarray:
    """Light (F, H, W) of that at the front, in [DARKEST, 1]; 1 where nothing was fitted."""
    return np.where(surface.fitted, np.clip(surface.plane / surface.front, DARKEST, 1), 1.0)


def _coverage(surface: _Surface, light: np.ndarray) -> np.ndarray:
    """Share (F, H, W) of the way from the ground to what a covered pixel of this light has."""
    covered = light * surface.front - surface.ground
    return np.clip((surface.signal - surface.ground) / np.maximum(covered, MIN_DISTANCE / 4), 0, 1)


def _heading(surface: _Surface) -> np.ndarray:
    """(F, 2): the way up the slope, as long as the share of the front's light that is missing at the rear."""
    heading = np.where(surface.fitted, 2 * surface.extent / surface.front, np.nan) * surface.slope
    return heading[..., 0, 0].T


def _seen_from_centre(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels' places dx, dy (F, H, W) from the centres of masks (F, H, W), whose mean half-width is (F, 1, 1)."""
    y, x = np.mgrid[: mask.shape[1], : mask.shape[2]].astype(np.float32) + 0.5
    area = np.maximum(mask.sum(axis=(1, 2)), 1)
    centre_x = (mask.sum(axis=1) @ x[0]) / area
    centre_y = (mask.sum(axis=2) @ y[:, 0]) / area
    extent = (mask.any(axis=1).sum(axis=1) + mask.any(axis=2).sum(axis=1)) / 4
    return x - centre_x[:, None, None], y - centre_y[:, None, None], extent[:, None, None]


def _with_rim(mask: np.ndarray) -> np.ndarray:
    """Masks (F, H, W) and the pixels beside them, which the object may cover in part."""
    within_frame = np.zeros((3, 3, 3), bool)
    within_frame[1] = True
    return ndimage.binary_dilation(mask, within_frame)


def _inside(mask: np.ndarray) -> np.ndarray:
    """The pixels of masks (F, H, W) whose four neighbours belong to them, which the object covers whole; none of an
    object with fewer than MIN_INSIDE."""
    inside = ndimage.binary_erosion(mask, ndimage.generate_binary_structure(2, 1)[None])
    return inside & (inside.sum(axis=(1, 2), keepdims=True) >= MIN_INSIDE)


def _plane(
    high: np.ndarray, low: np.ndarray, dx: np.ndarray, dy: np.ndarray, inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least squares of high = k low + level + slope (dx, dy) inside: k, level (F, 1, 1), slope (2, F, 1, 1).

    A plain object's darkest channel is a plane itself and k is open: the penalty makes it 0.
    """
    terms = np.stack([low, np.ones_like(dx), dx, dy], axis=-1) * inside[..., None]
    terms = terms.reshape(len(terms), -1, 4)
    squares = (terms.transpose(0, 2, 1) @ terms).astype(np.float64)
    squares += np.diag([0.0, 1e-9, 1e-9, 1e-9])
    squares[:, 0, 0] += K_PENALTY * inside.sum(axis=(1, 2)) + 1e-9
    products = terms.transpose(0, 2, 1) @ high.reshape(len(terms), -1, 1)
    k, level, *slope = np.linalg.solve(squares, products)[..., None].transpose(1, 0, 2, 3)
    return k, level, np.stack(slope)
