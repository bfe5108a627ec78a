"""Captioned clips of the toy world at ETC's frame rates: as they are, or what a filter keeps of good and bad ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from metrics.networks.features import load_clip
from metrics.scoring.protocol import named
from pipeline.config.specs import EtcSpec, Filtered
from pipeline.etc.filter import best
from pipeline.etc.fps import VIDEO_FPS
from pipeline.training.latents import training_captions
from pipeline.world.rates import at_rates
from pipeline.world.render import render
from pipeline.world.scene import FRAMES, HEIGHT, Names, draw
from pipeline.world.spoilt import spoil


@dataclass(frozen=True)
class Collection:
    """N clips (N, T, H, W, 3) uint8, their captions, the label that each is an image of, and frames a second (N,).

    known: every caption of the scenes that the clips were taken from.
    """

    clips: np.ndarray
    captions: list[str]
    labels: list[str]
    rates: np.ndarray
    known: frozenset[str]

    def kept(self, rows: np.ndarray) -> "Collection":
        """The clips of which rows (N,) is true."""
        captions, labels = (
            [one for one, keep in zip(every, rows, strict=True) if keep] for every in (self.captions, self.labels)
        )
        return Collection(self.clips[rows], captions, labels, self.rates[rows], self.known)


def of_world(spec: EtcSpec, seed: int) -> Collection:
    """The toy world at the paper's seven frame rates, drawn once for each clip; filtered where `spec` says so."""
    names, scenes = draw(spec.scenes, seed)
    rates = np.random.default_rng(seed).choice(VIDEO_FPS, spec.scenes)
    texts = training_captions(spec.scenes, seed)
    used, size = slice(spec.used), (spec.length or FRAMES, spec.height or HEIGHT)
    clips = render(at_rates(scenes, rates)[used], spec.shading, *size)
    labels = [f"{name.colour} {name.shape}" for name in names[used]]
    whole = Collection(clips, texts[used], labels, rates[used], frozenset(texts))
    return _filtered(whole, names[used], spec.filtered, seed) if spec.filtered else whole


def _filtered(whole: Collection, names: Sequence[Names], wanted: Filtered, seed: int) -> Collection:
    """What the filter keeps of a collection with bad videos in it."""
    clips, captions, _ = spoil(whole.clips, whole.captions, names, wanted.spoilt, seed)
    spoilt = Collection(clips, captions, whole.labels, whole.rates, whole.known)
    rule = named("reelbench").clip_resize
    network = load_clip(Path(wanted.clip), Path(wanted.text_tower), rule)
    return spoilt.kept(best(network, clips, captions, wanted.ratio))
