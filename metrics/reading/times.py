"""Which frame a video shows at a time."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from metrics.reading import pixels


def shown_at(frames: Iterator[Any], times: Sequence[float], slack: float) -> Iterator[np.ndarray]:
    """The frame, uint8 (H, W, 3), at each of the times, while there are frames.

    Args:
        frames: av.VideoFrames in their order. times: in seconds from the first frame, ascending. slack: how long before
            its time a frame is shown, in seconds; the last one stands for as long as two slacks.
    """
    waiting, start, before, at = list(times), None, None, 0.0
    for frame in frames:
        start = frame.time if start is None else start
        while waiting and before is not None and frame.time - start > waiting[0] + slack:
            yield pixels.of_frame(before)
            waiting.pop(0)
        if not waiting:
            return
        before, at = frame, frame.time - start
    for time in waiting:
        if before is not None and time < at + 2 * slack:
            yield pixels.of_frame(before)
