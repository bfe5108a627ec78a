"""The colours of the pages: edges of what can be chosen are seen on what is behind them (WCAG 2.2, 1.4.11)."""

import re

import pytest

from pipeline.study.web.pages import STATIC

PALETTES = re.findall(r":root \{(.*?)\}", (STATIC / "study.css").read_text(), re.DOTALL)  # by day and by night


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)  # the standard's own example


@pytest.mark.parametrize("palette", PALETTES, ids=["light", "dark"])
@pytest.mark.parametrize(("front", "least"), [("edge", 3), ("accent", 3), ("ink", 4.5), ("soft", 4.5)])
def test_what_matters_is_seen(palette: str, front: str, least: float) -> None:
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", palette))
    for ground in ("card", "page"):
        assert contrast(colours[front], colours[ground]) >= least, (front, ground)
