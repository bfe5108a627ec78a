"""What every stage's entry point shares: a fault that the user can mend ends the stage with its message alone."""

import functools
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def stage(main: Callable[..., None]) -> Callable[[], None]:
    """Call `main` with the command line's arguments; ValueError and FileNotFoundError end it with one message.

    All errors about input derive from ValueError. REELBENCH_TRACEBACK=1 shows where it came from.
    """

    @functools.wraps(main)
    def run() -> None:
        wanted, given = list(inspect.signature(main).parameters), sys.argv[1:]
        if len(given) != len(wanted):
            sys.exit(f"usage: python -m stages.{Path(sys.argv[0]).stem} {' '.join(wanted).upper()}".rstrip())
        try:
            main(*given)
        except (ValueError, FileNotFoundError) as error:
            if os.environ.get("REELBENCH_TRACEBACK"):
                raise
            sys.exit(f"error: {error}")

    return run


def pick(section: str, entries: Mapping[str, T], name: str) -> T:
    """The entry of a section of params.yaml that the command line names.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in entries:
        raise ValueError(f"params.yaml: {section} has no {name!r}, expected one of {', '.join(entries)}")
    return entries[name]
