"""Single objects anywhere in the continuous space of scenes: what the codec is trained on, and nothing else is.

A public autoencoder has seen all images, also those that a video model was never shown; so the toy world's has seen
any hue (at a saturation and brightness of at least 0.6), roundness, contrast, size and direction. Paler, darker and
grey objects it has not seen; they follow, because its decoder is affine in the colours. "Never seen in training" is
said of the generators, which learn from `scene.draw` alone.
"""

import colorsys

import numpy as np

from pipeline.world.scene import BACKGROUND, SHADING, SHAPES, SPEED, SPEED_JITTER, Scenes, centres

HUE, SATURATION, VALUE = (0.0, 1.0), (0.6, 1.0), (0.6, 1.0)
INVERSE_EXPONENT, CONTRAST, RADIUS, SHADINGS = (0.08, 1.0), (0.0, 0.95), (4.1, 7.9), (0.0, 0.45)
NAMED, STRIPED, STRAIGHT = 0.5, 0.65, 0.5  # shares: of the named shapes, of stripes, of directions near an axis


def draw_any(n: int, seed: int) -> Scenes:
    """n scenes, no attribute tied to a name; the same seed gives the same scenes."""
    rng = np.random.default_rng(seed)
    colour = (rng.uniform(*span, n) for span in (HUE, SATURATION, VALUE))
    exponent = 1 / rng.uniform(*INVERSE_EXPONENT, n)
    exponent = np.where(rng.random(n) < NAMED, rng.choice(list(SHAPES.values()), n), exponent)
    radius = rng.uniform(*RADIUS, n)
    velocity = _velocities(n, rng)
    return Scenes(
        rgb=np.array([colorsys.hsv_to_rgb(*one) for one in zip(*colour, strict=True)]),
        exponent=exponent,
        contrast=np.where(rng.random(n) < STRIPED, rng.uniform(*CONTRAST, n), 0.0),
        radius=radius,
        velocity=velocity,
        centre=centres(radius, exponent, velocity, rng),
        background=rng.uniform(*BACKGROUND, n),
    )


def draw_shadings(n: int, seed: int) -> np.ndarray:
    """(N,) depths of shading for `render`; half of the objects have that of the toy world, the others any or none."""
    rng = np.random.default_rng([seed, 1])
    return np.where(rng.random(n) < NAMED, SHADING, rng.uniform(*SHADINGS, n))


def _velocities(n: int, rng: np.random.Generator) -> np.ndarray:
    """(N, 2), half of them near an axis, as the named directions are."""
    near = rng.integers(0, 4, n) * np.pi / 2 + rng.uniform(-0.1, 0.1, n)
    angle = np.where(rng.random(n) < STRAIGHT, near, rng.uniform(0, 2 * np.pi, n))
    speed = SPEED + rng.uniform(-SPEED_JITTER, SPEED_JITTER, n)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) * speed[:, None]
