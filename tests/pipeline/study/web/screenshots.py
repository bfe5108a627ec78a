"""Writes the screenshots of docs/user-study.md: `python -m tests.pipeline.study.web.screenshots docs`.

They show the studies of studies/ over the clips of the run in this checkout.
"""

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.study import clips, design, media
from pipeline.study.store import Store
from pipeline.study.web.app import create
from pipeline.study.web.context import Served, serving
from pipeline.study.web.security import secret_of_organiser
from tests.pipeline.study.web import browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DESKTOP = {"viewport": {"width": 1040, "height": 730}}
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True, "color_scheme": "dark"}


def served(name: str, folder: Path) -> Served:
    """A study of studies/, started afresh."""
    study = design.read(path := Path("studies") / f"{name}.yaml")
    material = clips.resolve(study, path.parent)
    screen = media.screen(material)
    store = Store(f"sqlite:///{folder / name}.db")
    store.start(study, material.contents, material.items)
    files = media.prepare(study, material, screen, folder / "clips")
    return serving(store, material, files, folder / "clips", screen.pixelated)


def first_trial(chromium: "Browser", url: str, of: Served, look: dict) -> "Page":
    """The first real trial of a new rater, answered and not sent."""
    (token,) = of.store.invite(1).values()
    page = chromium.new_context(**look).new_page()
    page.goto(f"{url}/r/{token}")
    browser.agree(page)
    browser.choose(page, 0)
    browser.go_on(page)
    browser.wait_for_videos(page)
    browser.choose(page, 1)
    return page


def take_part(page: "Page", of: int) -> None:
    """Answer so many trials, some at random."""
    for number in range(of):
        browser.choose(page, number * 7 // 3)
        browser.go_on(page)


def organiser(chromium: "Browser", url: str, of: Served, path: Path) -> None:
    """The organiser's page after some votes."""
    for raters in (12, 12, 5):
        take_part(first_trial(chromium, url, of, DESKTOP), raters)
    of.store.invite(1)
    page = chromium.new_context(**DESKTOP).new_page()
    page.goto(f"{url}/organiser")
    page.fill("#secret", secret_of_organiser(of.key))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.screenshot(path=path)


def write(out: Path) -> None:
    """Write all screenshots to a folder."""
    with tempfile.TemporaryDirectory() as folder, browser.opened() as chromium:
        if chromium is None:
            sys.exit(browser.MISSING)
        of = served("best-of-four", Path(folder))
        with browser.address(create(of)) as url:
            welcome(chromium, url, of, out / "user-study-welcome.png")
            first_trial(chromium, url, of, DESKTOP).screenshot(path=out / "user-study-best-of.png")
            first_trial(chromium, url, of, PHONE).screenshot(path=out / "user-study-phone.png")
            organiser(chromium, url, of, out / "user-study-organiser.png")
        of = served("pairwise", Path(folder))
        with browser.address(create(of)) as url:
            first_trial(chromium, url, of, DESKTOP).screenshot(path=out / "user-study-pairwise.png")


def welcome(chromium: "Browser", url: str, of: Served, path: Path) -> None:
    """Consent and background."""
    (token,) = of.store.invite(1).values()
    page = chromium.new_context(viewport={"width": 1040, "height": 700}).new_page()
    page.goto(f"{url}/r/{token}")
    page.screenshot(path=path)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
