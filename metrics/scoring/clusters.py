"""Which clips are not independent of one another: those of one prompt, unless it is said otherwise."""

from collections.abc import Container, Mapping, Sequence
from pathlib import Path

from metrics.reading.captions import CAPTION_FIELDS, read_captions
from metrics.reading.matching import matched
from metrics.reading.sources import Source

PROMPT, NONE = "prompt", "none"


def clusters_of(
    cluster: str, captions: Path | None, texts: Mapping[str, str] | None, sources: Sequence[Source]
) -> Mapping[str, str] | None:
    """The name of each clip's cluster, by its id; None where every clip is its own.

    Args:
        cluster: "prompt", clips of one caption, or "none", or a field of the file of captions. texts: captions by clip
            id, None without.

    Raises:
        ValueError: if a field is named and there is no file of captions, or no such field in it.
    """
    if cluster == NONE or (cluster == PROMPT and texts is None):
        return None
    if cluster == PROMPT:
        return texts
    if captions is None:
        raise ValueError(f"--cluster {cluster} is a field of the captions: it needs --captions FILE")
    return matched(read_captions(captions, (cluster,)), sources, captions)


def column_of(cluster: str, columns: Container[str]) -> str | None:
    """The column of a table by which rows are alike: of "prompt" that of captions; None where every row is its own."""
    if cluster == PROMPT:
        return next((name for name in CAPTION_FIELDS if name in columns), None)
    return None if cluster == NONE else cluster
