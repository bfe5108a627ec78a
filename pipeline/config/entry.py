"""What the entry points of stages and commands share: a fault that the user can mend ends them with one sentence."""

import functools
import inspect
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

# Said at every start by libraries that are used as they want to be: by logger, the words that mark it.
_NOISE = {
    "transformers.utils.import_utils": "requires torchvision",  # of classes that are imported and never used
    "diffusers.models.modeling_utils": "should be kept in float32: []",  # an empty list is nothing to keep
}


def stage(main: Callable[..., None]) -> Callable[[], None]:
    """Call `main` with the command line's arguments; ValueError and FileNotFoundError end it with one sentence."""

    @functools.wraps(main)
    def run() -> None:
        wanted, given = list(inspect.signature(main).parameters), sys.argv[1:]
        if len(given) != len(wanted):
            sys.exit(f"usage: python -m stages.{Path(sys.argv[0]).stem} {' '.join(wanted).upper()}".rstrip())
        for logger, words in _NOISE.items():
            logging.getLogger(logger).addFilter(lambda record, words=words: words not in record.getMessage())
        with one_sentence(FileNotFoundError):
            try:
                main(*given)
            except KeyboardInterrupt:
                print("stopped; start it again to continue", file=sys.stderr)
                sys.exit(130)

    return run


@contextmanager
def one_sentence(*faults: type[Exception]) -> Iterator[None]:
    """End the process with the message alone, and exit code 1, where the user can mend the fault.

    All errors about input derive from ValueError; `faults` are the others. Also a decorator. REELBENCH_TRACEBACK=1
    shows where an error came from.
    """
    try:
        yield
    except (ValueError, *faults) as error:
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
