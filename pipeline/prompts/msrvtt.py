"""MSR-VTT's test captions, from a user's own copy: a research licence, so they are never committed."""

import json
import random
import zipfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from pipeline.prompts.sets import Prompt, PromptError, normalise

MSRVTT_VIDEOS, MSRVTT_CAPTIONS = 2990, 20


def read_msrvtt(path: Path, rule: str, seed: int) -> list[Prompt]:
    """MSR-VTT's test captions from the official json, or the zip around it.

    Args:
        rule: "first" or "random" (one caption a video, drawn with `seed`), or "all" (20 a video).

    Raises:
        PromptError: if the file is not the official one (2,990 videos, 20 captions each).
    """
    captions: dict[str, list[str]] = defaultdict(list)
    data = _read_json(path)
    try:
        for sentence in sorted(data["sentences"], key=lambda s: s["sen_id"]):
            captions[sentence["video_id"]].append(normalise(sentence["caption"]))
        category = {video["video_id"]: str(video["category"]) for video in data["videos"]}
    except (KeyError, TypeError) as error:
        raise PromptError(f"{path}: not MSR-VTT's videodatainfo: no {error} where it is expected") from error
    _check_msrvtt(path, captions, category)
    rng = random.Random(seed)
    prompts = []
    for video in sorted(captions, key=lambda name: int(name.removeprefix("video"))):
        texts = captions[video]
        chosen = {"first": texts[:1], "all": texts, "random": [rng.choice(texts)]}[rule]
        for i, text in enumerate(chosen):
            name = video if rule != "all" else f"{video}-{i:02d}"
            prompts.append(Prompt(f"msrvtt/{name}", "msrvtt", category[video], text))
    return prompts


def _read_json(path: Path) -> Any:
    if not path.is_file():
        raise PromptError(f"prompts.msrvtt.path: {path} does not exist")
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                return json.loads(archive.read("test_videodatainfo.json"))
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise PromptError(f"{path}: not a readable test_videodatainfo.json: {error}") from error


def _check_msrvtt(path: Path, captions: dict[str, list[str]], category: dict[str, str]) -> None:
    counts = Counter(len(texts) for texts in captions.values())
    if len(captions) != MSRVTT_VIDEOS or set(counts) != {MSRVTT_CAPTIONS} or set(captions) != set(category):
        raise PromptError(
            f"{path}: expected {MSRVTT_VIDEOS} videos with {MSRVTT_CAPTIONS} captions each, found {len(captions)} "
            f"videos with {dict(counts)} captions"
        )
