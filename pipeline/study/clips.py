"""Which clips take part in a study: those of the run's ledgers and of any folders, by method and by name.

Clips of one name are answers to one prompt. A prompt takes part if every method has a clip of it.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from metrics.hashing import fingerprint
from metrics.reading.captions import read_captions
from metrics.reading.matching import matched
from metrics.reading.sources import VIDEOS, Source, find, source_hash
from metrics.reading.video import read_all, timing
from pipeline.clips import ledger
from pipeline.config import params, paths
from pipeline.config.section import subset
from pipeline.prompts.tables import read_tables
from pipeline.study.design import Folder, Study, StudyError
from pipeline.study.mixtures import caption, two_parts
from pipeline.study.plan import Item, check_length

Parts = Mapping[str, tuple[str, str]]  # what questions about a mixture name as a and b


@dataclass(frozen=True)
class Clip:
    """A clip of a method. prompt: its id, "" if not known; fps: frames/s of a source that carries none."""

    source: Source
    caption: str
    prompt: str
    fps: float

    @cached_property
    def rate(self) -> float:
        """Frames a second."""
        return timing(self.source).rate if self._is_video else self.fps

    @cached_property
    def seconds(self) -> float:
        """Its length."""
        return timing(self.source).seconds if self._is_video else len(read_all(self.source)) / self.fps

    @property
    def _is_video(self) -> bool:
        return self.source.path.is_file() and self.source.path.suffix.lower() in VIDEOS

    @cached_property
    def content(self) -> str:
        """sha256 of what is stored."""
        return source_hash(self.source)


Found = Mapping[str, Mapping[str, Clip]]  # by method, then by name


@dataclass(frozen=True)
class Material:
    """What a study shows: its items in order, and a clip for each (id of the item, method)."""

    items: tuple[Item, ...]
    clips: Mapping[tuple[str, str], Clip]

    @property
    def contents(self) -> dict[str, str]:
        """A digest of each clip's content, by "method/clip"."""
        return {f"{method}/{item}": fingerprint([clip.content]) for (item, method), clip in self.clips.items()}


def resolve(study: Study, folder: Path) -> Material:
    """Find the clips of a study, whose paths are relative to `folder`.

    Raises:
        StudyError: naming the key, if a method has no clips, the methods have no prompt in common, or too few, two
            clips of one name have different captions, or a mixture's parts are not known.
        ValueError: if params.yaml, captions or videos cannot be read.
    """
    run = _run(study) if study.clips.methods else {}
    found = {name: _of_ledger(name, run[name]) for name in study.clips.methods}
    found |= {name: _of_folder(name, entry, folder) for name, entry in study.clips.folders.items()}
    parts = _parts(study, folder)
    prompts = _kept(study, _with_parts(study, _prompts(_common(found), found), parts))
    items = tuple(_item(clip, prompt, found, parts) for clip, prompt in prompts.items())
    check_length(study, len(items))
    return Material(items, {(item.id, name): clips[item.id] for name, clips in found.items() for item in items})


def _run(study: Study) -> dict[str, Path]:
    """The folders of all methods of the run."""
    generate = params.load().generate
    subset("clips.methods", study.clips.methods, "generate.methods and generate.external", generate.everything)
    return {name: generate.folder(name) for name in generate.everything}


def _of_ledger(name: str, folder: Path) -> dict[str, Clip]:
    fps = float(ledger.about(folder).get("fps", 8))
    clips = {}
    for entry in ledger.read(folder).values():
        if entry.outcome != ledger.OK:
            continue
        if not (path := folder / entry.file).is_file():
            raise StudyError(f"clips.methods: the ledger of {name!r} names {path}, which is not there")
        prompt = entry.mixture or entry.prompt_id
        clips[entry.clip] = Clip(Source(entry.clip, path), entry.caption, prompt, fps)
    if not clips:
        raise StudyError(f"clips.methods names {name!r}, which has no clips in {folder}: run its generate stage first")
    return clips


def _of_folder(name: str, entry: Folder, root: Path) -> dict[str, Clip]:
    key, folder, captions = f"clips.folders.{name}", root / entry.clips, root / entry.captions
    try:
        sources = {source.id: source for source in find(folder)}
        texts = matched(read_captions(captions), list(sources.values()), captions)
    except ValueError as error:
        raise StudyError(f"{key}: {error}") from None
    if missing := [clip for clip in sources if clip not in texts]:
        raise StudyError(
            f"{key}: {captions} has no caption for {missing[0]!r}, expected one for each video of {folder}"
        )
    return {clip: Clip(source, texts[clip], "", entry.fps) for clip, source in sources.items()}


def _common(found: Found) -> list[str]:
    """Names of the clips that every method has, in the order of the first method.

    Raises:
        StudyError: if there is none, or captions differ.
    """
    (first, own), *others = found.items()
    common = [clip for clip in own if all(clip in clips for _, clips in others)]
    if not common:
        said = ", ".join(f"{name} has {len(clips)} such as {next(iter(clips))!r}" for name, clips in found.items())
        raise StudyError(f"clips: the methods have no clip of one name in common, expected the same names: {said}")
    for name, clips in others:
        for clip in common:
            if clips[clip].caption != own[clip].caption:
                raise StudyError(
                    f"clips: {clip!r} has the caption {own[clip].caption!r} of {first} and {clips[clip].caption!r} of "
                    f"{name}, expected the same"
                )
    return common


def _prompts(common: list[str], found: Found) -> dict[str, str]:
    """The prompt of each clip. Where no ledger says it, clips of one caption are of one prompt, which is named
    after the first of them."""
    by_caption: dict[str, str] = {}
    prompts = {}
    for clip in common:
        said = [clips[clip].prompt for clips in found.values() if clips[clip].prompt]
        prompts[clip] = said[0] if said else by_caption.setdefault(next(iter(found.values()))[clip].caption, clip)
    return prompts


def _kept(study: Study, prompts: dict[str, str]) -> dict[str, str]:
    """The clips of the first prompts, as many as the study wants."""
    names, wanted = list(dict.fromkeys(prompts.values())), study.clips.prompts
    if wanted is None:
        return prompts
    if wanted > len(names):
        raise StudyError(
            f"clips.prompts is {wanted}, expected at most {len(names)}: so many have a clip of every method"
        )
    return {clip: prompt for clip, prompt in prompts.items() if prompt in names[:wanted]}


def _item(clip: str, prompt: str, found: Found, parts: Parts | None) -> Item:
    both = _parts_of(parts, clip, prompt) if parts is not None else None
    return Item(clip, prompt, caption(both) if both else next(iter(found.values()))[clip].caption, both)


def _parts(study: Study, folder: Path) -> Parts | None:
    """The parts of mixtures by the names of clips or prompts: of the study's own file, else of the run's tables."""
    if study.design != "mixture":
        return None
    if study.clips.parts:
        return _read_parts(folder / study.clips.parts)
    if not paths.MIXTURES.is_file():
        raise StudyError(f"clips.parts: is missing, and there is no {paths.MIXTURES} to find the parts of mixtures in")
    return two_parts(*read_tables(paths.PROMPTS, paths.MIXTURES))


def _parts_of(parts: Parts, clip: str, prompt: str) -> tuple[str, str] | None:
    """By the clip's name, with or without the seed at its end, or by its prompt."""
    names = (clip, prompt, re.sub(r"-s\d+$", "", clip))
    return next((parts[name] for name in names if name in parts), None)


def _with_parts(study: Study, prompts: dict[str, str], parts: Parts | None) -> dict[str, str]:
    """The clips of mixtures that have two parts; a study that names the parts itself must name all.

    Raises:
        StudyError: if parts are missing.
    """
    if parts is None:
        return prompts
    missing = [clip for clip, prompt in prompts.items() if _parts_of(parts, clip, prompt) is None]
    if missing and (study.clips.parts or len(missing) == len(prompts)):
        where = study.clips.parts or f"is missing, and {paths.MIXTURES}"
        raise StudyError(f"clips.parts: {where} has no two parts for {len(missing)} clips such as {missing[0]!r}")
    return {clip: prompt for clip, prompt in prompts.items() if clip not in missing}


def _read_parts(path: Path) -> dict[str, tuple[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StudyError(f"clips.parts: {path}: cannot be read: {error}") from None
    for line, row in enumerate(table, 2):
        for field in ("clip", "a", "b"):
            if not (row.get(field) or "").strip():
                raise StudyError(f"clips.parts: {path}, row {line}, field {field}: found nothing, expected text")
    return {row["clip"].strip(): (row["a"].strip(), row["b"].strip()) for row in table}
