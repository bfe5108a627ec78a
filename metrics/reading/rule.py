"""Which frames of a video make a clip."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ClipRule:
    """Which frames of a video make a clip: `frames` of them, every `stride`-th, from frame `start` on.

    Several `windows` follow one another without overlap; a video too short for all of them gives those that fit, and
    one too short for the first gives none.

    Raises:
        ValueError: if a number is below its least.
    """

    frames: int = 16
    start: int = 0
    stride: int = 1
    windows: int = 1

    def __post_init__(self) -> None:
        for name, least in (("frames", 1), ("start", 0), ("stride", 1), ("windows", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"clip rule: {name} is {getattr(self, name)}, expected at least {least}")

    @property
    def span(self) -> int:
        """Frames from a window's first to its last, both counted."""
        return (self.frames - 1) * self.stride + 1

    def window(self, index: int) -> range:
        """Indices of a window's frames in the video."""
        first = self.start + index * self.span
        return range(first, first + self.span, self.stride)

    def fitting(self, length: int) -> int:
        """How many windows a video of `length` frames has, at most `windows`."""
        return max(0, min(self.windows, (length - self.start) // self.span))
