"""How far long work has come: a bar on a terminal; elsewhere, as in a log file, one plain line a minute.

Open pieces of work nest: a stage, the clips of a method, the samples of a validation. A line joins them, as in
"generate world: richspace 24/66 clips, 3 min". Work of less than a minute writes none. Reporting is silent in worker
processes, and never raises: hours of work are worth more than a line.
"""

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Collection, Iterator
from types import TracebackType
from typing import Self, TypeVar

from tqdm import tqdm

T = TypeVar("T")

INTERVAL = 60.0  # seconds between lines

_open: list["Progress"] = []  # from the outermost to the innermost
_all_closed = threading.Event()
_writing = threading.Lock()  # for whom is forked in the middle of a line, standard error would stay locked
os.register_at_fork(before=_writing.acquire, after_in_parent=_writing.release, after_in_child=_writing.release)


class Progress:
    """A piece of work, reported from `__enter__` to `__exit__`.

    Args:
        title: what is done, "richspace".
        total: how many units there are; None where nothing is counted, which has no bar.
        unit: of what, in the plural: "clips".
        done: units that were there before.
        keep: whether the bar stays on the terminal when the work is done.
    """

    def __init__(
        self, title: str, total: int | None = None, unit: str = "items", done: int = 0, keep: bool = True
    ) -> None:
        self.title, self.total, self.unit, self.done, self.keep = title, total, unit, done, keep
        self.detail, self.bar = "", None

    def __enter__(self) -> Self:
        self.start = time.monotonic()
        if is_worker():
            return self
        if not on_terminal():
            _begin(self)
        elif self.total is not None:
            self.bar = tqdm(
                total=self.total, initial=self.done, desc=self.title, unit=self.unit, leave=self.keep, file=sys.stderr
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.close()
        if self in _open:
            _open.remove(self)
            if not _open:
                _all_closed.set()

    def update(self, units: int = 1, detail: str | None = None) -> None:
        """Count units that are done. detail: what else to say from now on, "loss 0.1234"."""
        self.done += units
        self.detail = self.detail if detail is None else detail
        if self.bar is not None:
            self.bar.set_postfix_str(self.detail, refresh=False)
            self.bar.update(units)

    @property
    def seconds(self) -> float:
        """Since the work was begun."""
        return time.monotonic() - self.start

    def __str__(self) -> str:
        count = "" if self.total is None else f" {self.done}/{self.total} {self.unit}"
        return f"{self.title}{count}{', ' if self.detail else ''}{self.detail}"


def each(items: Collection[T], title: str, unit: str, keep: bool = True) -> Iterator[T]:
    """The items, reported as units of work; each is done when the next is asked for."""
    with Progress(title, len(items), unit, keep=keep) as work:
        for item in items:
            yield item
            work.update()


def say(line: str) -> None:
    """Write a line to standard error, unless it cannot be written."""
    try:
        with _writing:
            print(line, file=sys.stderr, flush=True)
    except (OSError, ValueError):  # nobody reads any more, or the file is closed
        return


def duration(seconds: float) -> str:
    """For people: "12 s", "3 min", "2 h 5 min"."""
    if seconds < 60:
        return f"{int(seconds)} s"
    hours, minutes = divmod(int(seconds // 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def on_terminal() -> bool:
    """Whether a person watches standard error."""
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False


def is_worker() -> bool:
    """Whether another process reports: of multiprocessing the parent, of `accelerate launch` the first."""
    return multiprocessing.parent_process() is not None or os.environ.get("RANK", "0") != "0"


def _begin(work: Progress) -> None:
    """Add a piece of work; with the first a thread starts that writes a line at each interval."""
    global _all_closed
    _open.append(work)
    if len(_open) == 1:
        _all_closed = threading.Event()
        threading.Thread(target=_report, args=(_all_closed,), name="progress", daemon=True).start()


def _report(all_closed: threading.Event) -> None:
    while not all_closed.wait(INTERVAL):
        if works := list(_open):
            say(f"{_line(works)}, {duration(works[0].seconds)}")


def _line(works: list[Progress]) -> str:
    first, *others = map(str, works)
    if others:
        return f"{first}: {'; '.join(others)}"
    return f"{first}: running" if works[0].total is None else first
