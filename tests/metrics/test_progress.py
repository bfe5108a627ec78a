"""Progress in a log file: few plain lines, from the main process alone, and never an error."""

import io
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable

import pytest

from metrics import progress
from metrics.progress import Progress, duration, each


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.2)


def wait_for(happened: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_log_file_gets_plain_lines_at_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    with Progress("generate world"):
        wait_for(lambda: log.getvalue() == "generate world: running, 0 s\n")
        with Progress("richspace", 66, "clips", done=20) as clips:
            for _ in range(4):
                clips.update()
            wait_for(lambda: "\ngenerate world: richspace 24/66 clips, 0 s\n" in log.getvalue())
            clips.update(2, detail="loss 0.1")
            with Progress("sampling", 5, "batches"):
                text = "generate world: richspace 26/66 clips, loss 0.1; sampling 0/5 batches"
                wait_for(lambda: text in log.getvalue())
        wait_for(lambda: log.getvalue().count("running") == 2)
    assert "\r" not in log.getvalue()


def test_there_is_at_most_one_line_in_an_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    start = time.monotonic()
    with Progress("search", 10**9, "steps") as work:
        while time.monotonic() < start + 1:
            work.update()
    assert 1 <= len(log.getvalue().splitlines()) <= (time.monotonic() - start) / progress.INTERVAL
    assert log.getvalue().startswith("search ")


def test_short_work_writes_nothing_and_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 60)
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    assert list(each(range(3), "encoding", "batches")) == [0, 1, 2]
    with pytest.raises(KeyError), Progress("fails"):
        raise KeyError
    assert log.getvalue() == ""
    wait_for(lambda: not [thread for thread in threading.enumerate() if thread.name == "progress"])


def test_each_counts_an_item_when_the_next_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    for item in each("abc", "reading", "files"):
        if item == "c":
            wait_for(lambda: "reading 2/3 files, " in log.getvalue())
    assert "3/3" not in log.getvalue()


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress("generate world"), Progress("richspace", 66, "clips", done=20) as clips:
        clips.update(46, detail="loss 0.1")
    assert "richspace: 100%" in terminal.getvalue()
    assert "66/66" in terminal.getvalue()
    assert "loss 0.1" in terminal.getvalue()
    assert "generate world" not in terminal.getvalue()


def test_a_log_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[object] = []
    monkeypatch.setattr(threading, "excepthook", errors.append)
    monkeypatch.setattr(sys, "stderr", closed := io.StringIO())
    closed.close()
    with Progress("search", 2, "steps") as work:
        time.sleep(3 * progress.INTERVAL)
        work.update(2)
        (thread,) = (thread for thread in threading.enumerate() if thread.name == "progress")
        assert thread.is_alive()
    assert errors == []


def _work_in_child() -> None:
    with Progress("worker", 2, "clips") as work:
        time.sleep(3 * progress.INTERVAL)
        work.update()


def test_worker_processes_are_silent(capfd: pytest.CaptureFixture) -> None:
    with Progress("generate", 2, "clips"):
        child = multiprocessing.get_context("fork").Process(target=_work_in_child)
        child.start()
        child.join()
    assert child.exitcode == 0
    lines = capfd.readouterr().err.splitlines()
    assert lines
    assert all(line.startswith("generate 0/2 clips, ") for line in lines)


def test_of_several_processes_the_first_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not progress.is_worker()
    monkeypatch.setitem(os.environ, "RANK", "1")
    assert progress.is_worker()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (7500, "2 h 5 min")]
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text
