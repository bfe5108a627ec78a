"""external: videos that somebody else made (LVDM, VideoCrafter, a closed model …), with their captions as prompts."""

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from metrics.hashing import fingerprint
from metrics.reading.captions import read_captions
from metrics.reading.errors import VideoError
from metrics.reading.matching import matched
from metrics.reading.sources import VIDEOS, find, source_hash
from metrics.reading.video import read_all
from pipeline.clips.jobs import Asked, Clip, Job
from pipeline.config.code import CARRIES_NO_RESULT, code_hash
from pipeline.config.generate import External as Wanted
from pipeline.prompts.sets import Mixture

_PLACE = re.compile(r"(?P<mixture>.+)-s(?P<seed>\d+)")  # how a mixture's clips are named, see methods.rules.Mixtures


class External:
    """Every video below a folder. Video files are imported as they are; frames and arrays are stored losslessly.

    A video named like a mixture's clip (`<mixture>-s<seed>`) counts as one, so it is judged and paired with those of
    other methods. A caption that has no video is a clip that was asked for and not made.
    """

    asked: Asked = "videos"
    weights = ""
    parameters = 0

    def __init__(self, folder: Path, captions: Path, fps: int, mixtures: dict[str, str]) -> None:
        self.folder, self.fps, self.mixtures = folder, fps, mixtures
        sources = find(folder)
        self._sources = {_clip_id(source.id): source for source in sources}
        if len(self._sources) < len(sources):
            raise VideoError(f"{folder}: some videos differ only in signs that a clip's name cannot hold")
        named = matched(read_captions(captions), sources, captions)
        self._captions = {_clip_id(name): caption for name, caption in named.items()}

    @property
    def origin(self) -> str:
        """The folder."""
        return str(self.folder)

    @cached_property
    def made_by(self) -> dict[str, Any]:
        """The code that imports videos, and the frames/s of what has none."""
        return {"fps": self.fps, "code": code_hash(__name__, without=(*CARRIES_NO_RESULT, "pipeline.prompts"))}

    def fingerprint(self, job: Job) -> str:
        """Hash of the video's content and of the code that imports it."""
        source = self._sources.get(job.clip)
        try:
            content = source_hash(source) if source else ""
        except VideoError as error:  # importing it will fail, and say so
            content = str(error)
        return fingerprint([self.made_by, content])

    def prepare(self) -> None:
        """Nothing to load."""

    def jobs(self) -> list[Job]:
        """A job for every video and every caption, in the order of their names."""
        clips = sorted(self._sources.keys() | self._captions.keys())
        return [self._job(clip, self._captions.get(clip, "")) for clip in clips]

    def _job(self, clip: str, caption: str) -> Job:
        place = _PLACE.fullmatch(clip)
        mixture = self.mixtures.get(place["mixture"], "") if place else ""
        return Job(clip, mixture, int(place["seed"]) if place and mixture else 0, "", caption, caption)

    def generate(self, jobs: Sequence[Job]) -> list[Clip]:
        """The files, or what frames and arrays hold.

        Raises:
            VideoError: if a caption has no video, or a folder of frames or an array cannot be read.
        """
        return [self._import(job) for job in jobs]

    def _import(self, job: Job) -> Clip:
        source = self._sources.get(job.clip)
        if source is None:
            raise VideoError(f"no video for the caption of {job.clip}")
        is_video = source.path.is_file() and source.path.suffix.lower() in VIDEOS
        return source.path if is_video else read_all(source)


def _clip_id(name: str) -> str:
    """A file name for a source's id."""
    return re.sub(r"[^\w.-]", "-", name)


def build(wanted: Wanted, mixtures: Sequence[Mixture]) -> External:
    """From an entry of generate.external.

    Raises:
        ValueError: if there is no video, or no caption matches one.
    """
    names = {mixture.name: mixture.id for mixture in mixtures}
    return External(Path(wanted.clips), Path(wanted.captions), wanted.fps, names)
