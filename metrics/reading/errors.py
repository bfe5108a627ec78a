"""What is wrong with a video, and how names are said that are no text."""

from pathlib import Path


class VideoError(ValueError):
    """A video that cannot be read; the message says why and names no path: the source does."""


def readable(path: Path | str) -> str:
    """Valid text of a name that may hold bytes that are not UTF-8."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
