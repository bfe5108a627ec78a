"""The judge: measures from pixels alone what a clip of the world shows.

It knows how the world draws (one plain or striped superellipse on a grey ground, darker towards its rear) but nothing
about the scene, the caption or the model that made the clip. Every threshold is a constant below or in light.py;
docs/world.md says where each is from.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from math import gamma

import numpy as np
from scipy import ndimage

from pipeline.world.light import MIN_DISTANCE, brightest, darkest, shaded
from pipeline.world.scene import COLOURS, DIRECTIONS, SHAPES, SIZES, TEXTURES, Names

STANDS_OUT = 0.2  # of the brightest departure: the dark rear between white stripes does, noise does not
MIN_AREA, MAX_AREA = 12.0, 400.0  # pixels: smaller components are specks, larger ones are not an object but a ground
CORE = 0.95  # coverage from which a pixel counts as the object's inside
PRESENT = 0.75  # share of frames that must show exactly one object for the clip to show one object
MIN_SPEED = 0.2  # pixels per frame; slower is "still"
MIN_SATURATION = 0.15  # below it a hue means nothing
MIN_SHADING = 0.15  # weaker darkening from front to rear is no heading
# Between the two halves of a clip, and between the quartiles of its frames, where frames that take turns differ too.
MAX_DRIFT = {"hue": 35.0, "shape": 0.3, "contrast": 0.35, "radius": 1.5}
_CHUNK = 256  # clips measured at once

_EXPONENTS = np.geomspace(0.5, 20.0, 200)


@dataclass(frozen=True)
class Readings:
    """Measurements of N clips, one row each; NaN where there is nothing to measure.

    hue in degrees [0, 360); saturation in [0, 1]; exponent of the superellipse; contrast of the stripes in [0, 1];
    radius in pixels (disc of equal area); velocity (N, 2) in pixels per frame; heading (N, 2), where single frames show
    that it is going: direction to the bright front, times the share by which the rear is darker; roughness: root mean
    square distance in pixels between the object's path and a straight, even one (smooth motion is 0); objects: the
    commonest number per frame; presence: share of frames with exactly one object; steady: no attribute changes midway,
    nor in more than a quarter of the frames.
    """

    hue: np.ndarray
    saturation: np.ndarray
    exponent: np.ndarray
    contrast: np.ndarray
    radius: np.ndarray
    velocity: np.ndarray
    heading: np.ndarray
    roughness: np.ndarray
    objects: np.ndarray
    presence: np.ndarray
    steady: np.ndarray

    def __len__(self) -> int:
        return len(self.objects)

    @property
    def backwards(self) -> np.ndarray:
        """(N,) bool: it moves, more than 90 degrees away from where its shading says that it is going."""
        with np.errstate(invalid="ignore"):
            known = (np.hypot(*self.velocity.T) >= MIN_SPEED) & (np.hypot(*self.heading.T) >= MIN_SHADING)
            return known & ((self.velocity * self.heading).sum(axis=1) < 0)

    @property
    def one_object(self) -> np.ndarray:
        """(N,) bool: one object, from start to end, that stays what it is and does not move backwards."""
        return (self.objects == 1) & (self.presence >= PRESENT) & self.steady & ~self.backwards

    def names(self) -> list[Names]:
        """The nearest word of the vocabulary for every attribute; "none" or "still" where no word applies."""
        colours = _nearest_hue(self.hue, self.saturation)
        shapes = _nearest(1 / self.exponent, {word: 1 / p for word, p in SHAPES.items()})
        textures = _nearest(self.contrast, TEXTURES)
        sizes = _nearest(self.radius, SIZES)
        motions = _nearest_direction(self.velocity, MIN_SPEED, "still")
        return [Names(*row) for row in zip(colours, shapes, textures, sizes, motions, strict=True)]

    def headings(self) -> list[str]:
        """The nearest direction of the shading; "none" where there is too little of it."""
        return _nearest_direction(self.heading, MIN_SHADING, "none")


def judge(clips: np.ndarray) -> Readings:
    """Measure uint8 clips (N, T, H, W, 3), at least one.

    Raises:
        ValueError: if `clips` is not a uint8 array of that shape.
    """
    if clips.dtype != np.uint8 or clips.ndim != 5 or clips.shape[-1] != 3 or not len(clips):
        raise ValueError(f"clips must be uint8 (N >= 1, T, H, W, 3), found {clips.dtype} {clips.shape}")
    parts = [_judge_chunk(clips[i : i + _CHUNK]) for i in range(0, len(clips), _CHUNK)]
    return Readings(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Readings)))


def hue_of(rgb: np.ndarray) -> np.ndarray:
    """Hue in degrees of colours (..., 3), by the angle in the plane across the grey axis (no sextants, no jumps)."""
    red, green, blue = np.moveaxis(np.asarray(rgb, np.float64), -1, 0)
    return np.degrees(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)) % 360


def hue_difference(a: np.ndarray | float, b: np.ndarray | float) -> np.ndarray:
    """Signed shortest way from hue a to hue b, in degrees (-180, 180]."""
    return 180 - (180 - (np.asarray(b) - np.asarray(a))) % 360


def _nearest(values: np.ndarray, words: dict[str, float]) -> list[str]:
    distance = np.abs(values[:, None] - np.array(list(words.values())))
    nearest = np.array(list(words))[np.nan_to_num(distance).argmin(axis=1)]
    return [str(w) for w in np.where(np.isnan(values), "none", nearest)]


def _nearest_hue(hue: np.ndarray, saturation: np.ndarray) -> list[str]:
    distance = np.abs(hue_difference(hue[:, None], hue_of(np.array(list(COLOURS.values())))))
    nearest = np.array(list(COLOURS))[np.nan_to_num(distance).argmin(axis=1)]
    return [str(w) for w in np.where(saturation >= MIN_SATURATION, nearest, "none")]


def _nearest_direction(vectors: np.ndarray, least: float, otherwise: str) -> list[str]:
    along = vectors @ np.array(list(DIRECTIONS.values())).T
    words = np.array(list(DIRECTIONS))[np.nan_to_num(along).argmax(axis=1)]
    return [str(w) for w in np.where(np.hypot(*vectors.T) >= least, words, otherwise)]


def _judge_chunk(clips: np.ndarray) -> Readings:
    n, t = clips.shape[:2]
    frames = clips.reshape(-1, *clips.shape[2:]).astype(np.float32) / 255
    coverage = _coverage(frames)
    counts, mine = _objects(coverage)
    coverage, light, heading = shaded(frames, coverage, mine)
    measures = {name: v.reshape(n, t, *v.shape[1:]) for name, v in _measure(frames / light[..., None], coverage)}
    heading = heading.reshape(n, t, 2)
    counts = counts.reshape(n, t)
    with np.errstate(invalid="ignore", divide="ignore"):
        velocity, roughness = _motion(measures["x"], measures["y"])
        rgb = _median(measures["rgb"])
        return Readings(
            hue=np.where(np.isnan(rgb[:, 0]), np.nan, hue_of(rgb)),
            saturation=1 - rgb.min(axis=1) / rgb.max(axis=1),
            exponent=1 / _median(measures["shape"]),
            contrast=_median(measures["contrast"]),
            radius=_median(measures["radius"]),
            velocity=velocity,
            heading=_median(heading),
            roughness=roughness,
            objects=np.array([np.bincount(row).argmax() for row in counts], dtype=np.int64),
            presence=(counts == 1).mean(axis=1),
            steady=_steady(measures),
        )


def _median(values: np.ndarray) -> np.ndarray:
    """Median over frames (axis 1) of what could be measured; NaN where no frame could."""
    filled = np.where(np.isnan(values).all(axis=1, keepdims=True), 0.0, values)
    median = np.nanmedian(filled, axis=1)
    return np.where(np.isnan(values).all(axis=1), np.nan, median)


def _coverage(frames: np.ndarray) -> np.ndarray:
    """Share of the object in each pixel (F, H, W): distance from the background over the object's own distance.

    The background is the frame's median colour. The object's distance is the lower quartile of what stands out, so that
    neither its dark rear nor the rows between white stripes fall out of it. This is a first guess, good enough to find
    the object: see `pipeline.world.light.shaded`.
    """
    background = np.median(frames, axis=(1, 2), keepdims=True)
    distance = brightest(np.abs(frames - background))
    flat = distance.reshape(len(distance), -1)
    peak = flat.max(axis=1, keepdims=True)
    ranked = np.sort(np.where(flat > STANDS_OUT * peak, flat, np.inf), axis=1)
    inside = np.isfinite(ranked).sum(axis=1)
    level = ranked[np.arange(len(ranked)), (0.25 * inside).astype(int)]
    visible = (peak[:, 0] >= MIN_DISTANCE)[:, None, None]
    return np.where(visible, np.clip(distance / np.maximum(level, 1e-6)[:, None, None], 0, 1), 0.0)


def _objects(coverage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of objects per frame (F,), and the mask of the largest one (F, H, W)."""
    within_frame = np.zeros((3, 3, 3), bool)
    within_frame[1] = True
    labels, n = ndimage.label(coverage > 0.5, within_frame)
    index = np.arange(1, n + 1)
    frame_of = ndimage.maximum(np.arange(len(coverage))[:, None, None], labels, index).astype(int)
    area = np.bincount(labels.ravel(), minlength=n + 1)[1:]
    valid = (area >= MIN_AREA) & (area <= MAX_AREA)
    counts = np.bincount(frame_of[valid], minlength=len(coverage))

    largest = np.zeros(len(coverage), int)
    for label in index[valid][np.argsort(area[valid], kind="stable")]:
        largest[frame_of[label - 1]] = label
    mine = (labels == largest[:, None, None]) & (largest > 0)[:, None, None]
    return counts, mine


def _measure(frames: np.ndarray, coverage: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Per-frame measurements of the object; NaN in frames without one."""
    area = coverage.sum(axis=(1, 2))
    area = np.where(area > 0, area, np.nan)
    y, x = np.mgrid[: frames.shape[1], : frames.shape[2]] + 0.5
    centre_x = (coverage * x).sum(axis=(1, 2)) / area
    centre_y = (coverage * y).sum(axis=(1, 2)) / area
    yield "x", centre_x
    yield "y", centre_y
    yield "radius", np.sqrt(area / np.pi)
    yield "shape", _inverse_exponent(coverage, x - centre_x[:, None, None], y - centre_y[:, None, None], area)
    core = (coverage >= CORE).astype(np.float32)
    chroma = core * np.maximum(brightest(frames) - darkest(frames), 1e-3)  # white stripes do not wash the colour out
    weight = chroma.sum(axis=(1, 2))
    yield "rgb", np.einsum("fhw,fhwc->fc", chroma, frames) / np.where(weight > 0, weight, np.nan)[:, None]
    yield "contrast", _contrast(frames, core)


def _fourfold(p: np.ndarray) -> np.ndarray:
    """Area x fourfold moment / polar moment², for superellipses |x|^p + |y|^p <= 1: falls from diamond to square.

    The moments over a quadrant are Dirichlet's: ∫ x^m y^n = Γ((m+1)/p) Γ((n+1)/p) / (p² Γ(1 + (m+n+2)/p)).
    """

    def moment(m: int, n: int) -> float:
        return gamma((m + 1) / p) * gamma((n + 1) / p) / (p**2 * gamma(1 + (m + n + 2) / p))

    return moment(0, 0) * (2 * moment(4, 0) - 6 * moment(2, 2)) / (2 * moment(2, 0)) ** 2


def _inverse_exponent(coverage: np.ndarray, dx: np.ndarray, dy: np.ndarray, area: np.ndarray) -> np.ndarray:
    """1/p of the superellipse whose fourfold moment matches: 1 for a diamond, 0.5 for a circle, 0.1 for a square."""
    fourfold = (coverage * (dx**4 - 6 * dx**2 * dy**2 + dy**4)).sum(axis=(1, 2))
    polar = (coverage * (dx**2 + dy**2)).sum(axis=(1, 2))
    table = np.array([_fourfold(p) for p in _EXPONENTS])
    value = area * fourfold / polar**2
    return np.where(np.isnan(value), np.nan, np.interp(-value, -table, 1 / _EXPONENTS))


def _contrast(frames: np.ndarray, core: np.ndarray) -> np.ndarray:
    """How far the whitest row inside the object goes from the plainest row's colour to white, in [0, 1]."""
    width = core.sum(axis=2)
    whiteness = (darkest(frames) * core).sum(axis=2) / np.maximum(width, 1)
    wide = width >= 3
    low = np.where(wide, whiteness, np.inf).min(axis=1)
    high = np.where(wide, whiteness, -np.inf).max(axis=1)
    return np.where(wide.any(axis=1), (high - low) / np.maximum(1 - low, 1e-6), np.nan)


def _motion(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares velocity (N, 2) of the centres (N, T) and the root mean square distance from that path (N,)."""
    seen = ~np.isnan(x)
    n = np.where(seen.sum(axis=1) >= 2, seen.sum(axis=1), np.nan)[:, None]
    time = np.where(seen, np.arange(x.shape[1]), np.nan)
    dt = np.where(seen, time - np.nansum(time, axis=1, keepdims=True) / n, 0)
    velocity, squares = [], 0.0
    for position in (x, y):
        offset = np.where(seen, position - np.nansum(position, axis=1, keepdims=True) / n, 0)
        slope = (dt * offset).sum(axis=1) / (dt**2).sum(axis=1)
        velocity.append(slope)
        squares = squares + (seen * (offset - slope[:, None] * dt) ** 2).sum(axis=1)
    return np.stack(velocity, axis=1), np.sqrt(squares / n[:, 0])


def _steady(measures: dict[str, np.ndarray]) -> np.ndarray:
    """(N,) bool: both halves of the clip, and the middle half of its frames, show the same attributes, within
    MAX_DRIFT."""
    half = measures["x"].shape[1] // 2
    first = {name: _median(value[:, :half]) for name, value in measures.items()}
    second = {name: _median(value[:, half:]) for name, value in measures.items()}
    hue_drift = np.abs(hue_difference(hue_of(first["rgb"]), hue_of(second["rgb"])))
    steady = hue_drift <= MAX_DRIFT["hue"]
    hue = hue_of(_median(measures["rgb"]))[:, None]
    steady &= _spread(hue_difference(hue, hue_of(measures["rgb"]))) <= MAX_DRIFT["hue"]
    for name in ("shape", "contrast", "radius"):
        steady &= np.abs(first[name] - second[name]) <= MAX_DRIFT[name]
        steady &= _spread(measures[name]) <= MAX_DRIFT[name]
    return steady


def _spread(values: np.ndarray) -> np.ndarray:
    """Distance (N,) between the quartiles over frames (N, T) of what could be measured; NaN where no frame could."""
    filled = np.where(np.isnan(values).all(axis=1, keepdims=True), 0.0, values)
    low, high = np.nanquantile(filled, [0.25, 0.75], axis=1)
    return np.where(np.isnan(values).all(axis=1), np.nan, high - low)
