"""What a command reads and writes: checked before anything heavy is loaded. Loads nothing heavy itself."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from safetensors import SafetensorError, safe_open

from metrics.reading.sources import ARRAYS, VIDEOS, Source, find
from metrics.scoring.catalogue import METRICS, checked
from metrics.scoring.clusters import PROMPT
from metrics.scoring.metric import Metric
from pipeline.commands.setup import Setup, needs_clip


@dataclass(frozen=True)
class Inputs:
    """What videos are scored with, by option. cluster: which clips are not independent."""

    real: Path | None = None
    stats: Path | None = None
    captions: Path | None = None
    cluster: str = PROMPT

    @property
    def given(self) -> dict[str, Path]:
        """The places that were given, by option."""
        options = {"real": self.real, "real_stats": self.stats, "captions": self.captions}
        return {option: place for option, place in options.items() if place}

    def lack(self, name: str) -> str:
        """The option without which a metric cannot be computed, or ""."""
        of_needs = {
            "real": not (self.real or self.stats) and "--real DIR or --real-stats FILE",
            "captions": not self.captions and "--captions FILE",
            "pairs": not self.real and "--real DIR",
        }
        return of_needs.get(METRICS[name].needs) or ""

    def check(self, places: Sequence[Path], names: Sequence[str]) -> None:
        """Refuse what cannot be read, or does not fit.

        Args:
            places: of the videos that are scored. names: of the metrics that are wanted.

        Raises:
            ValueError: naming the place, or the metric and the option that it lacks.
        """
        if self.real and self.stats:
            raise ValueError("--real and --real-stats both say what is real: give one")
        if self.stats:
            _check_stats(self.stats)
        found = [videos(place) for place in places]
        originals = videos(self.real) if self.real else []
        for name in checked(names):
            if lack := self.lack(name):
                raise ValueError(f"{name} needs {lack}")
        for sources in found:
            self._check_matches(sources, originals if any(METRICS[name].needs == "pairs" for name in names) else [])

    def _check_matches(self, sources: Sequence[Source], originals: Sequence[Source]) -> None:
        from metrics.reading.captions import read_captions
        from metrics.reading.matching import matched, paired
        from metrics.scoring.clusters import clusters_of

        texts = matched(read_captions(self.captions), sources, self.captions) if self.captions else None
        clusters_of(self.cluster, self.captions, texts, sources)
        if originals:
            paired(sources, originals)


@dataclass(frozen=True)
class Wanted:
    """names: of the metrics to compute. asked: those that were asked for by name. missing: why others, which the
    inputs would allow, are not."""

    names: Sequence[str]
    asked: Sequence[str]
    missing: dict[str, str]

    def only(self, fits: Callable[[Metric], bool]) -> "Wanted":
        """The same without metrics that do not fit."""
        return replace(self, names=[name for name in self.names if fits(METRICS[name])])


def wanted(names: Sequence[str], inputs: Inputs, setup: Setup) -> Wanted:
    """The metrics that are named, or else every one that needs no more than what is given.

    Without --clip those in CLIP's space are left out: the toy world's encoder, which comes with the repository, has
    seen no other videos.

    Raises:
        ValueError: if a name is none, or nothing is named and nothing can be computed.
        FileNotFoundError: as `Setup.check` of what is not named.
    """
    if names:
        return Wanted(checked(names), names, {})
    possible = [name for name, metric in METRICS.items() if not metric.by_name and not inputs.lack(name)]
    without = [name for name in possible if METRICS[name].network == "clip" and not setup.clip]
    missing = dict.fromkeys(without, "--clip FOLDER, a CLIP checkpoint, is not given")
    found = [name for name in possible if name not in missing]
    if not found:
        by_name = ", ".join(name for name, metric in METRICS.items() if metric.by_name and not metric.needs)
        raise ValueError(
            f"nothing to compute: fvd and kvd need --real DIR or --real-stats FILE; {needs_clip(without)}; "
            f"asked for by name, --metrics {by_name} need neither"
        )
    setup.check(found)
    return Wanted(found, [], missing)


def videos(place: Path) -> list[Source]:
    """The videos below a folder, or the one that is given.

    Raises:
        ValueError: if there are none. A file of another kind is refused by its name: FFmpeg reads a text file as the
            video of a terminal.
    """
    if place.is_file() and place.suffix.lower() not in (*VIDEOS, *ARRAYS):
        raise ValueError(f"{place}: no video by its name, expected a folder, or one of {' '.join((*VIDEOS, *ARRAYS))}")
    return find(place)


def _check_stats(file: Path) -> None:
    """Refuse what is no file of statistics by its header; whether it fits is known with the networks.

    Raises:
        ValueError: naming the file.
    """
    from metrics.scoring.measured import STATS_SCHEMA

    if not file.is_file():
        raise ValueError(f"--real-stats {file}: no such file")
    try:
        with safe_open(file, "np") as tensors:
            schema = (tensors.metadata() or {}).get("schema")
    except (SafetensorError, OSError) as error:
        raise ValueError(f"--real-stats {file}: no file of statistics that `reelbench stats` wrote: {error}") from error
    if schema != STATS_SCHEMA:
        raise ValueError(
            f"--real-stats {file}: schema is {schema!r}, expected {STATS_SCHEMA!r}: make the statistics again"
        )


def prepare_out(*files: Path | None, suffix: str = "") -> None:
    """Make the folders of files that are to be written, and say which had to be made.

    Args:
        suffix: that the names must have; "" for any.

    Raises:
        ValueError: if a file cannot be written there.
    """
    for file in filter(None, files):
        if file.is_dir():
            raise ValueError(f"{file} is a folder, expected a file to write")
        if suffix and file.suffix.lower() != suffix:
            raise ValueError(f"{file}: expected a name that ends in {suffix}")
        new = list(_absent(file.parent))
        above = (new[-1] if new else file).absolute().parent
        if not above.is_dir() or not os.access(above, os.W_OK):
            why = "is no folder" if not above.is_dir() else "may not be written to"
            raise ValueError(f"{file}: {above} {why}")
        if new:
            file.parent.mkdir(parents=True)
            Console().print(f"made the folder {file.parent}", markup=False, highlight=False)


def _absent(folder: Path) -> Iterator[Path]:
    """Folders that would have to be made, from the innermost on."""
    while not folder.exists():
        yield folder
        folder = folder.absolute().parent
