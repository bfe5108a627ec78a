"""The contact sheet of docs/world.md: `python -m pipeline.world.sheet` writes docs/world.png."""

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pipeline.world.render import render
from pipeline.world.scene import COLOURS, DIRECTIONS, SHAPES, SIZES, SPEED, TEXTURES, Scenes

ZOOM, COLUMNS = 3, 5
_LABEL = 110  # pixels of the column with the names


def _base(n: int) -> Scenes:
    """n times the same large plain red circle, moving right."""
    return Scenes(
        rgb=np.tile(COLOURS["red"], (n, 1)),
        exponent=np.full(n, SHAPES["circle"]),
        contrast=np.zeros(n),
        radius=np.full(n, SIZES["large"]),
        velocity=np.tile([SPEED, 0.0], (n, 1)),
        centre=np.full((n, 2), 16.0),
        background=np.full(n, 0.1),
    )


def rows() -> dict[str, Scenes]:
    """For every attribute, five scenes from one named value to another; generators are trained on the ends alone."""
    t = np.linspace(0, 1, COLUMNS)

    def between(a: object, b: object) -> np.ndarray:
        a, b = np.array(a, float), np.array(b, float)
        return a + (b - a) * t.reshape(-1, *[1] * a.ndim)

    base = _base(COLUMNS)
    inverse = {name: 1 / p for name, p in SHAPES.items()}
    return {
        "red to yellow": replace(base, rgb=between(COLOURS["red"], COLOURS["yellow"])),
        "red to blue": replace(base, rgb=between(COLOURS["red"], COLOURS["blue"])),
        "green to blue": replace(base, rgb=between(COLOURS["green"], COLOURS["blue"])),
        "yellow to green": replace(base, rgb=between(COLOURS["yellow"], COLOURS["green"])),
        "circle to square": replace(base, exponent=1 / between(inverse["circle"], inverse["square"])),
        "circle to diamond": replace(base, exponent=1 / between(inverse["circle"], inverse["diamond"])),
        "plain to striped": replace(base, contrast=between(TEXTURES["plain"], TEXTURES["striped"])),
        "small to large": replace(base, radius=between(SIZES["small"], SIZES["large"])),
        "right to down": replace(base, velocity=SPEED * between(DIRECTIONS["right"], DIRECTIONS["down"])),
    }


def sheet() -> Image.Image:
    """All rows; each scene as its first, middle and last frame side by side."""
    strips = {
        name: np.concatenate([np.concatenate(list(c[[0, 8, 15]]), 1) for c in render(s)], 1)
        for name, s in rows().items()
    }
    height, width = next(iter(strips.values())).shape[:2]
    picture = Image.new("RGB", (_LABEL + width * ZOOM, len(strips) * height * ZOOM), "white")
    draw = ImageDraw.Draw(picture)
    for i, (name, strip) in enumerate(strips.items()):
        top = i * height * ZOOM
        draw.text((6, top + height * ZOOM // 2 - 6), name, fill="black")
        picture.paste(
            Image.fromarray(strip).resize((width * ZOOM, height * ZOOM), Image.Resampling.NEAREST), (_LABEL, top)
        )
    for column in range(1, COLUMNS):
        x = _LABEL + column * width * ZOOM // COLUMNS
        draw.line([(x, 0), (x, picture.height)], fill="white", width=3)
    return picture


if __name__ == "__main__":
    ArgumentParser(description="Draw docs/world.png anew.").parse_args()
    sheet().save(Path("docs/world.png"))
