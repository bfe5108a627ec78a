"""Processes that are forked from this one, and what they must not touch of it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def garbage_left_behind() -> Iterator[None]:
    """Around whatever forks: what is garbage here is not the new processes' to collect.

    A decoder's frame, or whatever else has threads, would be freed by joining threads that were not forked, and so wait
    for ever. It must be done before the fork: a process may collect garbage before its first own line runs.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
