"""Scenes -> clips, vectorised: every pixel of every frame from a closed formula, anti-aliased by signed distance."""

import numpy as np

from pipeline.world.scene import FRAMES, HEIGHT, SHADING, STRIPE_PERIOD, WIDTH, Scenes, half_extent

_CHUNK = 128  # scenes rendered at once: bounds the memory of the intermediate arrays to about 100 MB


def render(
    scenes: Scenes, shading: float | np.ndarray = SHADING, frames: int = FRAMES, height: int = HEIGHT
) -> np.ndarray:
    """Render N scenes to uint8 clips (N, T, H, W, 3).

    Args:
        shading: how much darker the rear of each object is than its front, in [0, 1], of all or of each (N,); 0 hides
            where it is going.
        frames: T, about the same middle of the clip.
        height: H in pixels; the same scene is seen in more or fewer of them, in its own aspect ratio.
    """
    scale = height / HEIGHT
    clips = np.empty((len(scenes), frames, height, round(scale * WIDTH), 3), np.uint8)
    depth = np.broadcast_to(shading, len(scenes))
    for start in range(0, len(scenes), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        clips[chunk] = _render_chunk(scenes[chunk], depth[chunk], clips.shape[1:4])
    return clips


def _column(values: np.ndarray) -> np.ndarray:
    """(N,) -> (N, 1, 1, 1) float32, to broadcast against (N, T, H, W)."""
    return np.asarray(values, np.float32)[:, None, None, None]


def _render_chunk(scenes: Scenes, shading: np.ndarray, size: tuple[int, int, int]) -> np.ndarray:
    """All lengths are in pixels of the toy world, of which a rendered pixel may be a part."""
    frames, height, width = size
    scale = np.float32(height / HEIGHT)
    time = (np.arange(frames, dtype=np.float32) - (frames - 1) / 2)[None, :, None, None]
    centre_x = _column(scenes.centre[:, 0]) + _column(scenes.velocity[:, 0]) * time
    centre_y = _column(scenes.centre[:, 1]) + _column(scenes.velocity[:, 1]) * time
    dx = (np.arange(width, dtype=np.float32)[None, None, None, :] + 0.5) / scale - centre_x
    dy = (np.arange(height, dtype=np.float32)[None, None, :, None] + 0.5) / scale - centre_y

    coverage = _coverage(dx, dy, scenes, scale)[..., None]
    # even about the centre: an odd pattern would be brighter above it, as an object is that moves up
    stripe = np.clip(0.5 + 1.5 * np.cos(dy * np.float32(2 * np.pi / STRIPE_PERIOD)), 0, 1)
    white = (_column(scenes.contrast) * stripe)[..., None]
    colour = np.asarray(scenes.rgb, np.float32)[:, None, None, None, :]
    surface = (colour + (1 - colour) * white) * _light(dx, dy, scenes, shading)[..., None]
    background = _column(scenes.background)[..., None]
    frame = background + (surface - background) * coverage
    return np.round(frame * 255).astype(np.uint8)


def _coverage(dx: np.ndarray, dy: np.ndarray, scenes: Scenes, scale: np.float32) -> np.ndarray:
    """Share of each pixel inside the superellipse, from the first-order signed distance (norm - r) / |gradient|;
    `scale`: pixels in one of the toy world's."""
    p = _column(scenes.exponent)
    ax, ay = np.maximum(np.abs(dx), 1e-3), np.maximum(np.abs(dy), 1e-3)
    largest = np.maximum(ax, ay)
    norm = largest * (1 + (np.minimum(ax, ay) / largest) ** p) ** (1 / p)
    gradient = np.hypot((ax / norm) ** (p - 1), (ay / norm) ** (p - 1))
    extent = _column(half_extent(scenes.radius, scenes.exponent))
    return np.clip(0.5 + scale * (extent - norm) / gradient, 0, 1)


def _light(dx: np.ndarray, dy: np.ndarray, scenes: Scenes, shading: np.ndarray) -> np.ndarray:
    """Brightness of the surface: 1 at the front, falling linearly along the velocity to 1 - shading at the rear."""
    speed = np.maximum(np.hypot(scenes.velocity[:, 0], scenes.velocity[:, 1]), 1e-6)
    along = dx * _column(scenes.velocity[:, 0] / speed) + dy * _column(scenes.velocity[:, 1] / speed)
    forward = np.clip(along / _column(half_extent(scenes.radius, scenes.exponent)), -1, 1)
    return 1 - _column(shading) * (1 - forward) / 2
