"""A served study, and raters who click through it without a browser."""

import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from pipeline.study import clips, design, media
from pipeline.study.store import Store
from pipeline.study.web.app import create
from pipeline.study.web.context import serving
from tests.pipeline.study.videos import write_study

HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
CLIPS = re.compile(r'src="(/clips/[^"]+)"')
CHOICES = re.compile(r'name="(q\.\w+)" value="(\w+)"')
BACKGROUND = {"consent": "yes", "profession": "AI", "years": "3"}


@dataclass(frozen=True)
class Site:
    """A study behind a test client. links: the pages of invited raters."""

    store: Store
    client: TestClient
    key: str
    links: tuple[str, ...]


def site(folder: Path, kind: str, methods: int = 2, raters: int = 2, url: str | None = None, **changes: Any) -> Site:
    """Serve a study over small videos below a folder."""
    study = design.read(path := write_study(folder, kind, methods, **changes))
    material = clips.resolve(study, path.parent)
    screen = media.screen(material)
    store = Store(url or f"sqlite:///{folder / 'votes.db'}")
    recorded = store.start(study, material.contents, material.items)
    shared = folder.parent / "clips-for-browsers"  # the same in every test, and dear to encode
    files = media.prepare(study, material, screen, shared)
    served = serving(store, material, files, shared, screen.pixelated)
    client = TestClient(create(served), raise_server_exceptions=False, follow_redirects=False)
    links = tuple(f"/r/{token}" for token in store.invite(raters).values())
    return Site(store, client, recorded.key, links)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    return {name: unescape(value) for name, value in HIDDEN.findall(page)}


def begin(of: Site, link: str, **changes: str) -> Any:
    """Agree to take part; the answer of the server."""
    fields = hidden(of.client.get(link).text)
    return of.client.post(link, data=fields | BACKGROUND | changes)


def choose(page: str, place: int = 0) -> dict[str, str]:
    """Hidden fields, and of each question the answer at a place."""
    offered: dict[str, list[str]] = {}
    for name, value in CHOICES.findall(page):
        offered.setdefault(name, []).append(value)
    return hidden(page) | {name: values[place % len(values)] for name, values in offered.items()}


def answer(of: Site, place: str, which: int = 0) -> Any:
    """Open a trial and answer it; the answer of the server."""
    return of.client.post(place, data=choose(of.client.get(place).text, which))


def take_part(of: Site, link: str) -> list[str]:
    """Go through the whole study, to the page of thanks; the trials' addresses."""
    place, trials = begin(of, link).headers["location"], []
    while not place.endswith("/end"):
        trials.append(place)
        place = answer(of, place, len(trials)).headers["location"]
    fields = hidden(of.client.get(place).text)
    assert of.client.post(place, data=fields).headers["location"] == place
    assert "Thank you" in of.client.get(place).text
    return trials
