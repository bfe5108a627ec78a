"""What the commands `study …` do."""

import csv as csv_format
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from pipeline.study import design, gathered, media, tables, votes
from pipeline.study.clips import Material, resolve
from pipeline.study.design import Study, StudyError
from pipeline.study.store import Store
from pipeline.study.web.context import serving
from pipeline.study.web.security import secret_of_organiser

DATABASE = "votes.db"
ADDRESS = "address.txt"  # that links begin with, as the server was last told
NEARBY = "http://127.0.0.1:8000"
CLIPS = "clips"


@dataclass(frozen=True)
class Place:
    """Where a study is: its file; the folder of its database and clips, and the database's URL, unless they are the
    usual ones."""

    file: Path
    folder: Path | None = None
    database: str | None = None

    @property
    def home(self) -> Path:
        """The folder of what the study writes."""
        return self.folder or self.file.parent / f"{design.read(self.file).name}.study"

    def new(self) -> Store:
        """The database, which is made if there is none."""
        if self.database is None:
            self.home.parent.mkdir(parents=True, exist_ok=True)
            self.home.mkdir(mode=0o700, exist_ok=True)  # the database has keys and votes
        return Store(self.database or f"sqlite:///{(self.home / DATABASE).absolute()}")

    def store(self) -> Store:
        """The database of a study that was started.

        Raises:
            StudyError: if there is none, or it is another one's: votes must not be deleted from the wrong study.
        """
        name, file = design.read(self.file).name, self._database_file()
        if file is not None and not file.is_file():
            raise StudyError(f"{file}: no such file; `reelbench study serve` or `invite` starts a study")
        store = self.new()
        if (found := store.recorded().study.name) != name:
            raise StudyError(f"the database holds the study {found!r}, expected {name!r} as {self.file} says")
        return store

    def _database_file(self) -> Path | None:
        """The file of an SQLite database."""
        return self.home / DATABASE if self.database is None else tables.file_of(self.database)


def check(file: Path) -> None:
    """Print what raters will see."""
    study, material = _read(file)
    shown = media.screen(material)
    votes_each = study.raters.expected * study.raters.trials / (len(material.items) * len(study.contrasts))
    print(f"{file}: a study of the design {study.design}, {len(study.asked)} question(s) a trial")
    print(f"clips: {len(material.items)} of each of {', '.join(study.methods)}")
    print(f"shown as: {shown.width} x {shown.height} pixels, {shown.fps:g} frames/s")
    for line in _lengths(study, material):
        print(line)
    print(f"each rater: {_trials(study)}")
    print(f"{study.raters.expected} raters answer each question {votes_each:.1f} times on the same clips")


def serve(place: Place, host: str, port: int, url: str | None) -> None:
    """Start a study or go on with it; returns when the server is stopped."""
    from pipeline.study.web import server

    url = address_of(host, port) if url is None else _checked(url)
    study, material = _read(place.file)
    shown = media.screen(material)
    at = server.listen(host, port)
    store = place.new()
    recorded = store.start(study, material.contents, material.items)
    files = media.prepare(study, material, shown, place.home / CLIPS)
    (place.home / ADDRESS).write_text(url, encoding="utf-8")
    print(f"{study.name}: {url}/ ({_entry(study)})")
    print(f"organiser: {url}/organiser")
    print(f"secret: {secret_of_organiser(recorded.key)}", flush=True)
    server.run(serving(store, material, files, place.home / CLIPS, shown.pixelated), at)


def invite(place: Place, count: int, url: str | None, csv: Path | None) -> None:
    """Print new links, or write them. url: None for the address at which the study was last served."""
    url = _last_address(place) if url is None else _checked(url)
    study, material = _read(place.file)
    if csv is None:
        for rater, link in _links(place, study, material, count, url):
            print(f"{rater}  {link}")
        return
    with _new_secret_file(csv) as file:  # before raters are made: links that were not written are lost
        csv_format.writer(file).writerows([("rater", "link"), *_links(place, study, material, count, url)])
    print(f"{count} links written to {csv}")


def status(place: Place) -> None:
    """Print how far the study is."""
    store = place.store()
    recorded, table, raters = store.recorded(), gathered.votes_of(store), gathered.progress(store)
    checks, console = gathered.passed_checks(table), Console()
    complete, begun = sum(one.complete for one in raters), sum(one.agreed is not None for one in raters)
    state = f"ended {recorded.ended:%Y-%m-%d %H:%M} UTC" if recorded.ended else "running"
    print(f"{recorded.study.name}: {state}")
    print(f"complete: {complete} of {recorded.study.raters.expected} expected; begun: {begun} of {len(raters)}")
    print(f"a trial takes {_seconds(gathered.seconds_per_trial(raters))} (median)")
    for one in gathered.agreement(table):
        share = "–" if one.share is None else f"{100 * one.share:.0f} %"
        alpha = "–" if one.alpha is None else f"{one.alpha:.2f}"
        print(f"agreement on {one.question}: {share} of {one.pairs} pairs of answers, alpha {alpha}")
    shown = Table("rater", "answered", "median of a trial", "checks passed")
    for one in raters:
        passed = "{} of {}".format(*checks[one.rater]) if one.rater in checks else "–"
        shown.add_row(one.rater, f"{one.answered} of {one.trials}" if one.trials else "–", _seconds(one.median), passed)
    console.print(shown)


def export(place: Place, out: Path) -> None:
    """Write the vote table."""
    votes.check_target(out)
    table = gathered.votes_of(place.store())
    votes.write(table, out)
    print(f"{len(table)} votes of {table.rater.nunique()} raters written to {out}")


def delete(place: Place, rater: str) -> None:
    """Delete a rater."""
    store = place.store()
    if not store.delete(rater):
        raise StudyError(f"no rater {rater!r}, expected an id that `reelbench study status` lists")
    print(f"{rater} and all that was known of this rater is deleted")


def end(place: Place) -> None:
    """End the study."""
    store = place.store()
    name = store.recorded().study.name
    store.end()
    print(f"{name} has ended; votes are kept, and no more are taken")


def address_of(host: str, port: int) -> str:
    """Where this machine reaches a server that listens at a host; 0.0.0.0 and :: listen everywhere."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _last_address(place: Place) -> str:
    kept = place.home / ADDRESS
    return kept.read_text(encoding="utf-8") if kept.is_file() else NEARBY


def _checked(url: str) -> str:
    """The address, without a slash at its end.

    Raises:
        StudyError: if it is none that a browser opens.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise StudyError(f"--url: found {url!r}, expected an address such as https://study.example.org")
    return url.rstrip("/")


def _read(file: Path) -> tuple[Study, Material]:
    study = design.read(file)
    try:
        return study, resolve(study, file.parent)
    except StudyError as error:
        raise StudyError(f"{file}: {error}") from None


def _lengths(study: Study, material: Material) -> Iterator[str]:
    """How long each method's clips are, and a warning if that tells methods apart."""
    taken = {name: [clip.seconds for (_, by), clip in material.clips.items() if by == name] for name in study.methods}
    yield "length: " + ", ".join(f"{name} {_range(own)}" for name, own in taken.items())
    if len({_range(own) for own in taken.values()}) > 1:
        yield "warning: lengths differ and are not hidden, so raters may tell methods apart by them"


def _range(seconds: list[float]) -> str:
    least, most = f"{min(seconds):.2f}", f"{max(seconds):.2f}"
    return f"{least} s" if least == most else f"{least} to {most} s"


def _trials(study: Study) -> str:
    checks = study.checks.identical + study.checks.obvious
    return f"{study.practice} trial(s) for practice, {study.raters.trials} real ones, {checks} attention check(s)"


def _entry(study: Study) -> str:
    return "anyone may join" if study.enrolment == "open" else "by the links of `reelbench study invite`"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"


def _links(place: Place, study: Study, material: Material, count: int, url: str) -> list[tuple[str, str]]:
    """Make raters: each one's id and link."""
    store = place.new()
    if store.start(study, material.contents, material.items).ended:
        raise StudyError("the study has ended, nobody can be invited")
    return [(rater, f"{url}/r/{token}") for rater, token in store.invite(count).items()]


@contextmanager
def _new_secret_file(path: Path) -> Iterator[TextIO]:
    """A file that was not there and that only its owner may read: links are secrets. It is gone if writing fails.

    Raises:
        StudyError: if there is something of that name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise StudyError(f"--csv: {path} exists, expected the name of a new file") from None
    try:
        with os.fdopen(opened, "w", encoding="utf-8", newline="") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise
