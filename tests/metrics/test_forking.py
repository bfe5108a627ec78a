"""What is forked does not free what it cannot."""

import gc
import os
import signal
import time

import av
import pytest

from metrics.forking import garbage_left_behind

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked without fork")


def leave_garbage() -> None:
    """A frame that is kept by a cycle and has threads, as PyAV's by default: freed in a forked process it waits for
    ever."""
    frame = av.VideoFrame(64, 64, "yuv420p")
    frame.to_ndarray(format="rgb24", threads=2)
    cycle: list[object] = [frame]
    cycle.append(cycle)


def ends(child: int, seconds: float = 10) -> bool:
    """Whether it ends well by then; else it is killed."""
    end = time.monotonic() + seconds
    while not (done := os.waitpid(child, os.WNOHANG))[0] and time.monotonic() < end:
        time.sleep(0.01)
    if not done[0]:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return done == (child, 0)


def collecting_child() -> int:
    if not (child := os.fork()):
        gc.collect()
        os._exit(0)
    return child


@pytest.fixture
def garbage() -> None:
    gc.collect()
    gc.disable()  # until it is forked
    leave_garbage()
    yield
    gc.enable()
    gc.collect()


def test_a_forked_process_leaves_the_garbage_of_who_forked_it(garbage: None) -> None:
    with garbage_left_behind():
        child = collecting_child()
    assert ends(child)


def test_without_it_a_forked_process_hangs(garbage: None) -> None:
    """If PyAV mends this some day, nothing here is needed any more."""
    assert not ends(collecting_child(), 2)


def test_garbage_is_collected_again_afterwards(garbage: None) -> None:
    before = gc.get_freeze_count()
    with pytest.raises(ZeroDivisionError), garbage_left_behind():
        assert gc.get_freeze_count() > before
        raise ZeroDivisionError
    assert gc.get_freeze_count() == before
    assert gc.collect() > 0
