"""What every stage's entry point shares: a fault that the user can mend ends the stage with its message alone."""

import functools
import os
import sys
from collections.abc import Callable


def stage(main: Callable[..., None]) -> Callable[..., None]:
    """Turn ValueError and FileNotFoundError into one message on stderr and exit code 1.

    All errors about input derive from ValueError. REELBENCH_TRACEBACK=1 shows where it came from.
    """

    @functools.wraps(main)
    def run(*args: str) -> None:
        try:
            main(*args)
        except (ValueError, FileNotFoundError) as error:
            if os.environ.get("REELBENCH_TRACEBACK"):
                raise
            sys.exit(f"error: {error}")

    return run
