"""The continuous parameters of a scene, the words for them, and how training scenes are drawn.

One superellipse |x|^p + |y|^p <= r^p of one colour moves over a grey background. Every attribute is a
continuous number; the vocabulary names a few values of each. Values *between* two names (an orange colour, a
rounded square, a faint stripe, a medium size, a diagonal) are mixture values: no generator is trained on them, only
the codec is.
"""

from dataclasses import dataclass, fields
from math import gamma, pi

import numpy as np

FRAMES, HEIGHT, WIDTH, FPS = 16, 32, 32, 8

COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.90, 0.12, 0.12),
    "yellow": (0.92, 0.82, 0.10),
    "green": (0.12, 0.72, 0.20),
    "blue": (0.15, 0.30, 0.95),
}
SHAPES: dict[str, float] = {"diamond": 1.0, "circle": 2.0, "square": 10.0}  # superellipse exponent p
TEXTURES: dict[str, float] = {"plain": 0.0, "striped": 0.9}  # how far the bright stripes go from the colour to white
SIZES: dict[str, float] = {"small": 4.5, "large": 7.5}  # radius in pixels of the disc of equal area
DIRECTIONS: dict[str, tuple[float, float]] = {  # unit vectors in image coordinates: y grows downwards
    "right": (1.0, 0.0),
    "left": (-1.0, 0.0),
    "up": (0.0, -1.0),
    "down": (0.0, 1.0),
}
SPEED = 0.75  # pixels per frame
STRIPE_PERIOD = 5.0  # pixels
BACKGROUND = (0.04, 0.14)  # grey levels of the ground
SHADING = 0.35  # how much darker the rear of an object is than its front, so that one frame shows where it is going
ATTRIBUTES = ("colour", "shape", "texture", "size", "motion")

# Half-widths of the training ranges around the named values. They stay clear of the mixture values.
COLOUR_JITTER, TEXTURE_JITTER, SIZE_JITTER, SPEED_JITTER, ANGLE_JITTER = 0.05, 0.05, 0.35, 0.12, 0.10


@dataclass(frozen=True)
class Scenes:
    """N scenes as columns; every array has N rows.

    rgb (N, 3) in [0, 1]; exponent > 0; contrast in [0, 1]; radius in pixels (disc of equal area); velocity (N, 2)
    in pixels per frame; centre (N, 2) in pixels at mid-clip; background: grey level in [0, 1].
    """

    rgb: np.ndarray
    exponent: np.ndarray
    contrast: np.ndarray
    radius: np.ndarray
    velocity: np.ndarray
    centre: np.ndarray
    background: np.ndarray

    def __len__(self) -> int:
        return len(self.exponent)

    def __getitem__(self, rows: slice | np.ndarray) -> "Scenes":
        return Scenes(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class Names:
    """What a scene is called: one word of the vocabulary per attribute."""

    colour: str
    shape: str
    texture: str
    size: str
    motion: str


def half_extent(radius: np.ndarray | float, exponent: np.ndarray | float) -> np.ndarray:
    """Half-width r of the superellipse whose area equals that of a disc of `radius` (area 4 r² Γ(1+1/p)²/Γ(1+2/p))."""
    unit_area = np.vectorize(lambda p: 4 * gamma(1 + 1 / p) ** 2 / gamma(1 + 2 / p))(exponent)
    return np.asarray(radius) * np.sqrt(pi / unit_area)


def draw_names(n: int, rng: np.random.Generator) -> list[Names]:
    """n scene names, every attribute uniform and independent."""
    columns = [rng.choice(list(words), n) for words in (COLOURS, SHAPES, TEXTURES, SIZES, DIRECTIONS)]
    return [Names(*map(str, row)) for row in zip(*columns, strict=True)]


def realise(names: list[Names], rng: np.random.Generator) -> Scenes:
    """Scenes that deserve these names: each value jittered inside its training range, anywhere in the frame."""
    n = len(names)

    def around(words: dict, attribute: str, jitter: float) -> np.ndarray:
        values = np.array([words[getattr(name, attribute)] for name in names], dtype=np.float64)
        return values + rng.uniform(-jitter, jitter, values.shape)

    rgb = np.clip(around(COLOURS, "colour", COLOUR_JITTER), 0, 1)
    exponent = np.array([SHAPES[name.shape] for name in names])
    contrast = np.clip(around(TEXTURES, "texture", TEXTURE_JITTER), 0, 1)
    contrast[[name.texture == "plain" for name in names]] = 0.0
    radius = around(SIZES, "size", SIZE_JITTER)
    heading = np.array([DIRECTIONS[name.motion] for name in names])
    angle = np.arctan2(heading[:, 1], heading[:, 0]) + rng.uniform(-ANGLE_JITTER, ANGLE_JITTER, n)
    speed = SPEED + rng.uniform(-SPEED_JITTER, SPEED_JITTER, n)
    velocity = np.stack([np.cos(angle), np.sin(angle)], axis=1) * speed[:, None]
    return Scenes(
        rgb=rgb,
        exponent=exponent,
        contrast=contrast,
        radius=radius,
        velocity=velocity,
        centre=centres(radius, exponent, velocity, rng),
        background=rng.uniform(*BACKGROUND, n),
    )


def centres(radius: np.ndarray, exponent: np.ndarray, velocity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mid-clip centres such that the object stays inside the frame from the first frame to the last."""
    travel = np.abs(velocity) * (FRAMES - 1) / 2
    margin = half_extent(radius, exponent)[:, None] + travel + 0.5
    room = np.maximum(np.array([WIDTH, HEIGHT]) / 2 - margin, 0)
    return np.array([WIDTH, HEIGHT]) / 2 + rng.uniform(-1, 1, room.shape) * room


def draw(n: int, seed: int) -> tuple[list[Names], Scenes]:
    """n named training scenes; the same seed gives the same scenes."""
    rng = np.random.default_rng(seed)
    names = draw_names(n, rng)
    return names, realise(names, rng)
