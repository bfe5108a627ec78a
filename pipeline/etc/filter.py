"""The video filter: of captioned videos, those whose frames match their captions best (ETC, Section 4.2, Eq. 5)."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from metrics.networks.features import ClipFeatures
from metrics.reading.captions import read_captions
from metrics.reading.matching import matched
from metrics.reading.sources import find
from metrics.scoring.extraction import Extracted, VideoInput
from metrics.scoring.measuring import Measurer

EPSILON = math.log(1 / 0.07) ** math.e  # as printed: 14.28, nearly 1 / 0.07, the factor that CLIP starts from
_BATCH = 64  # clips that are scored at once
COLUMNS = ("clip", "caption", "score", "lowest", "lowest_frame", "frames_below", "frames", "kept", "reason")


def frame_scores(frames: np.ndarray, caption: np.ndarray) -> np.ndarray:
    """Eq. 5 of each frame: ε times the cosine of frame and caption, in [-ε, ε].

    Args:
        frames: (T, d) and caption: (d,), unit vectors of one dual encoder.
    """
    return EPSILON * frames @ caption


def threshold(scores: np.ndarray, ratio: float) -> float:
    """The lowest of the best scores: of n, `ratio` n are at least that high, rounded half up, and at least one.

    Args:
        scores: (n,), NaN where there is none; these do not count. ratio: α, in (0, 1].

    Raises:
        ValueError: if the ratio is outside of that, or there is no score.
    """
    _check(ratio)
    known = np.sort(scores[~np.isnan(scores)])
    if not len(known):
        raise ValueError("no video could be scored, so there is nothing to keep")
    return float(known[-max(1, math.floor(ratio * len(known) + 0.5))])


def best(network: ClipFeatures, clips: np.ndarray, captions: Sequence[str], ratio: float) -> np.ndarray:
    """Which clips in memory the filter keeps: (N,) bool, the best `ratio` by the mean of Eq. 5 over their frames.

    Args:
        network: a dual encoder. clips: uint8 (N, T, H, W, 3). captions: N.

    Raises:
        ValueError: if the ratio is no share.
    """
    _check(ratio)
    unique = list(dict.fromkeys(captions))
    vectors = dict(zip(unique, network.encoder.text_features(unique).numpy(), strict=True))
    scores = np.empty(len(clips))
    for start in range(0, len(clips), _BATCH):
        part = slice(start, start + _BATCH)
        features = network.features([network.prepare(clip) for clip in clips[part]])
        scores[part] = [
            frame_scores(clip["frames"], vectors[text]).mean()
            for clip, text in zip(features, captions[part], strict=True)
        ]
    return scores >= threshold(scores, ratio)


def filter_videos(measurer: Measurer, videos: Path, captions: Path, ratio: float) -> pd.DataFrame:
    """Score every video below a folder against its caption, and keep the best share.

    Args:
        measurer: with a dual encoder among its networks; its rule says which frames are scored. captions: see
            `read_captions`. ratio: see `threshold`.

    Returns:
        Columns COLUMNS, a row for each video and each caption without one. score: the mean of Eq. 5 over the frames;
        lowest, lowest_frame: of the frame that matches least, counted from 0 among those scored; frames_below: of
        `frames`, those below the threshold. reason: why a video is dropped, else "".

    Raises:
        ValueError: before anything is decoded, if the folder holds no video, captions match no file, or the ratio is
            no share; after it if no video could be scored.
    """
    _check(ratio)
    sources = find(videos)
    texts = matched(read_captions(captions), sources, captions)
    vectors = measurer.text_vectors(texts)
    assert vectors is not None  # the measurer has a dual encoder
    extracted = measurer.extract([VideoInput(source) for source in sources if source.id in texts], "filter")
    scored = [_scored(one, texts[one.source.id], vectors) for one, _ in extracted]
    missing = [{"clip": source.id, "reason": "has no caption"} for source in sources if source.id not in texts]
    ids = {source.id for source in sources}
    missing += [
        {"clip": name, "caption": text, "reason": "has a caption and no file"}
        for name, text in texts.items()
        if name not in ids
    ]
    return _judged(pd.DataFrame([row for row, _ in scored] + missing), [values for _, values in scored], ratio)


def _check(ratio: float) -> None:
    if not 0 < ratio <= 1:
        raise ValueError(f"the ratio of videos to keep is {ratio:g}, expected more than 0 and at most 1")


def _scored(video: Extracted, caption: str, vectors: Mapping[str, np.ndarray]) -> tuple[dict[str, object], np.ndarray]:
    """The row of a video, and the scores of its frames; none of one that cannot be read."""
    row: dict[str, object] = {"clip": video.source.id, "caption": caption}
    if video.error:
        return row | {"reason": video.error}, np.empty(0)
    scores = frame_scores(np.concatenate(video.features["clip"]["frames"]), vectors[caption])
    lowest = int(scores.argmin())
    found = {"score": scores.mean(), "lowest": scores[lowest], "lowest_frame": lowest, "frames": len(scores)}
    return row | found, scores


def _judged(table: pd.DataFrame, frames: list[np.ndarray], ratio: float) -> pd.DataFrame:
    """Say of each video whether it is kept and, if not, why."""
    table = table.reindex(columns=list(COLUMNS))
    if table.score.isna().all():
        first = table.iloc[0]
        raise ValueError(f"none of {len(table)} videos could be scored; {first['clip']}: {first['reason']}")
    least = threshold(table.score.to_numpy(float), ratio)
    below = [int((scores < least).sum()) for scores in frames]
    table["frames_below"] = pd.array([*below, *[None] * (len(table) - len(below))], dtype="Int64")
    table[["lowest_frame", "frames"]] = table[["lowest_frame", "frames"]].astype("Int64")
    table["kept"] = table.score >= least
    table["reason"] = list(_reasons(table, least))
    return table


def _reasons(table: pd.DataFrame, least: float) -> Iterator[str]:
    for row in table.itertuples():
        if pd.isna(row.score):
            yield row.reason
        elif row.kept:
            yield ""
        else:
            few = f"{row.frames_below} of {row.frames} frames are below it, least frame {row.lowest_frame}"
            yield f"scores {row.score:.2f}, less than the threshold {least:.2f}: {few} ({row.lowest:.2f})"
