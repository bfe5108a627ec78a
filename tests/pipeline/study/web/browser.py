"""A real browser: Debian's chromium, driven by Playwright."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MISSING = "no chromium to drive (Debian: the package chromium)"
_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


@contextmanager
def opened() -> Iterator["Browser | None"]:
    """The browser; None where there is none."""
    path = shutil.which("chromium")
    if path is None:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def address(app: ASGIApp) -> Iterator[str]:
    """Serve an app from a thread; its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server did not start")
        thread.join(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def agree(page: "Page") -> None:
    """Consent and background, by mouse."""
    page.check("[name=consent]")
    if page.locator("#profession").count():
        page.select_option("#profession", "AI")
        page.fill("#years", "3")
    page.click("button")
    page.wait_for_selector("#trial")


def choose(page: "Page", place: int) -> None:
    """Of each question the answer at a place, by mouse."""
    for question in page.locator(".question").all():
        choices = question.locator(".choice")
        choices.nth(place % choices.count()).click()


def go_on(page: "Page") -> None:
    """Send the answers, and wait for the next page."""
    with page.expect_navigation():
        page.click("#trial button")


def wait_for_videos(page: "Page") -> None:
    """Until every video of a trial plays."""
    playing = "v => v.readyState >= 3 && v.videoWidth > 0 && v.currentTime > 0"
    wait_for(page, f"[...document.querySelectorAll('video')].every({playing})")


def wait_for(page: "Page", what: str) -> None:
    """Until an expression holds; Playwright's own waiting evaluates texts in the page, which its policy forbids.

    Raises:
        AssertionError: if it does not hold after half a minute.
    """
    for _ in range(600):
        if page.evaluate(what):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"still not so: {what}")
