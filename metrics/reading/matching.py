"""Which caption and which original belong to a clip: by its id, else by the last part of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from metrics.reading.captions import CaptionError
from metrics.reading.errors import VideoError
from metrics.reading.sources import Source


def matched(captions: Mapping[str, str], sources: Sequence[Source], path: Path) -> dict[str, str]:
    """Captions by clip id; those that match no clip keep their own name.

    Raises:
        CaptionError: if none matches, or a stem names several clips.
    """
    by_stem: dict[str, list[str]] = {}
    for source in sources:
        by_stem.setdefault(source.stem, []).append(source.id)
    ids = {source.id for source in sources}
    by_clip: dict[str, str] = {}
    for name, caption in captions.items():
        places = [name] if name in ids else by_stem.get(name, [])
        if len(places) > 1:
            raise CaptionError(
                f"{path}: {name!r} names {len(places)} clips ({', '.join(places[:3])}): give their paths"
            )
        by_clip[places[0] if places else name] = caption
    if not ids & set(by_clip):
        raise CaptionError(
            f"{path}: none of {len(captions)} captions matches a file: it names {next(iter(captions))!r}, "
            f"the folder holds {sources[0].id!r}"
        )
    return by_clip


def paired(sources: Sequence[Source], originals: Sequence[Source]) -> dict[str, Source]:
    """The original of each clip: that of the same id, else the only one of the same stem.

    One clip and one original are a pair whatever their names.

    Raises:
        VideoError: if no clip has an original.
    """
    if len(sources) == len(originals) == 1:
        return {sources[0].id: originals[0]}
    by_id, by_stem = {original.id: original for original in originals}, Counter(o.stem for o in originals)
    stems = {original.stem: original for original in originals if by_stem[original.stem] == 1}
    by_clip = {source.id: by_id.get(source.id) or stems.get(source.stem) for source in sources}
    by_clip = {name: original for name, original in by_clip.items() if original is not None}
    if not by_clip:
        raise VideoError(
            f"no generated clip has an original of its name: {sources[0].id!r} is generated, {originals[0].id!r} real"
        )
    return by_clip
