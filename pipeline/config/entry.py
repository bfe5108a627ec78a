"""What the entry points of stages and commands share: progress, and errors of input that end them in one sentence."""

import functools
import inspect
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from metrics.progress import Progress, duration, is_worker, on_terminal, say

T = TypeVar("T")

# Log messages to drop, by logger and by a part of the text: they say nothing about our use of these libraries.
_IRRELEVANT = {
    "transformers.utils.import_utils": "requires torchvision",  # of classes that are imported and never used
    "diffusers.models.modeling_utils": "should be kept in float32: []",  # an empty list: nothing is kept
}


def stage(main: Callable[..., None]) -> Callable[[], None]:
    """Call `main` with the command line's arguments; ValueError and FileNotFoundError end it with one sentence.

    Without a terminal it says when it starts and ends, and once a minute how far it is.
    """

    @functools.wraps(main)
    def run() -> None:
        expected, given = list(inspect.signature(main).parameters), sys.argv[1:]
        name = Path(sys.argv[0]).stem
        if len(given) != len(expected):
            sys.exit(f"usage: python -m stages.{name} {' '.join(expected).upper()}".rstrip())
        drop_irrelevant_messages()
        with one_sentence(FileNotFoundError), _reported(" ".join([name, *given])):
            try:
                main(*given)
            except KeyboardInterrupt:
                print("stopped; start it again to continue", file=sys.stderr)
                sys.exit(130)

    return run


def drop_irrelevant_messages() -> None:
    """Keep what libraries say about things that are not used here out of the output."""
    for logger, text in _IRRELEVANT.items():
        logging.getLogger(logger).addFilter(lambda record, text=text: text not in record.getMessage())


@contextmanager
def _reported(title: str) -> Iterator[None]:
    """A line at the start and one at the end, with the time in between; on a terminal bars are enough."""
    if on_terminal() or is_worker():
        yield
        return
    say(f"{title}: started")
    outcome = "failed"
    with Progress(title) as work:
        try:
            yield
            outcome = "finished"
        finally:
            say(f"{title}: {outcome} after {duration(work.seconds)}")


def choose_device(device: str | None) -> None:
    """Let this process see one device alone, of those that it may see: cpu, cuda or cuda:1; None: all. To be called
    before torch is imported."""
    if device is None:
        return
    allowed = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    number = int(device.partition(":")[2] or 0)
    if device == "cpu":
        chosen = ""
    elif allowed and number >= len(allowed):
        raise ValueError(f"device {device}: CUDA_VISIBLE_DEVICES is {','.join(allowed)}, expected one of these many")
    else:
        chosen = allowed[number] if allowed else str(number)
    os.environ["CUDA_VISIBLE_DEVICES"] = chosen


@contextmanager
def one_sentence(*errors: type[Exception]) -> Iterator[None]:
    """End the process with the message alone, and exit code 1, where the user can fix the error.

    All errors about input derive from ValueError; `errors` are the others. Also a decorator. REELBENCH_TRACEBACK=1
    shows where an error came from.
    """
    try:
        yield
    except (ValueError, *errors) as error:
        if os.environ.get("REELBENCH_TRACEBACK"):
            raise
        sys.exit(f"error: {error}")


def pick(section: str, entries: Mapping[str, T], name: str) -> T:
    """The entry of a section of params.yaml that the command line names.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in entries:
        raise ValueError(f"params.yaml: {section} has no {name!r}, expected one of {', '.join(entries)}")
    return entries[name]
