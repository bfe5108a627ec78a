"""Protocols: every choice behind a value, by name, and the fingerprint that is printed with it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum


class Resize(StrEnum):
    """How frames become a network's square, by the name that fingerprints carry; see metrics.resize."""

    SQUASH_BILINEAR = "whole frame squashed, bilinear, half-pixel centres, no antialias"
    SQUASH_BILINEAR_TF1 = "whole frame squashed, bilinear, TF1 corners, no antialias"
    CENTRE_BILINEAR = "short side, centre crop, bilinear, half-pixel centres, no antialias"
    SQUASH_BICUBIC = "whole frame squashed, bicubic, antialias"
    CENTRE_BICUBIC = "short side, centre crop, bicubic, antialias"


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


@dataclass(frozen=True)
class Protocol:
    """The choices of a code base. ddof: of the covariance, 1 divides by n - 1, 0 (population) by n."""

    name: str
    i3d_resize: Resize
    clip_resize: Resize
    ddof: int = 1
    clips: ClipRule = field(default_factory=ClipRule)

    def with_clips(self, clips: ClipRule) -> "Protocol":
        """The protocol with another rule for clips."""
        return replace(self, clips=clips)


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol("reelbench", Resize.SQUASH_BILINEAR, Resize.SQUASH_BICUBIC),
        # Unterthiner et al. 2018: tf.image.resize_bilinear of TensorFlow 1, moments divided by n - 1
        Protocol("reference", Resize.SQUASH_BILINEAR_TF1, Resize.SQUASH_BICUBIC),
        # Skorokhodov et al. 2022 (StyleGAN-V): raw moments divided by n
        Protocol("styleganv", Resize.SQUASH_BILINEAR, Resize.SQUASH_BICUBIC, ddof=0),
        # VideoGPT's clips for I3D; CLIP's own preprocessing for CLIP
        Protocol("clip-centre", Resize.CENTRE_BILINEAR, Resize.CENTRE_BICUBIC),
    )
}


def named(name: str) -> Protocol:
    """The protocol of a name.

    Raises:
        ValueError: if there is none.
    """
    if name not in PROTOCOLS:
        raise ValueError(f"no protocol {name!r}, expected one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


@dataclass(frozen=True)
class Fingerprint:
    """Every choice behind one value; None where a metric does not know the choice.

    weights: sha256 of the network's. gen: digest of the scored clips' content; real: of what they are compared with, be
    it real clips, captions or originals. n_gen, n_real: clips (windows) scored. decoder: library and version; codec: of
    the files; of both, gen before real.
    """

    metric: str
    protocol: str
    network: str
    weights: str
    frames: int
    start: int
    stride: int
    windows: int
    resize: str
    value_range: str
    gen: str
    real: str | None
    n_gen: int
    n_real: int | None
    ddof: int | None
    decoder: str
    codec: str

    @property
    def choices(self) -> dict[str, str | int]:
        """The choices that the metric knows."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    @property
    def digest(self) -> str:
        """Twelve hex digits that change when any choice does."""
        return fingerprint(self.choices)


def fingerprint(choices: Mapping[str, object] | Sequence[object]) -> str:
    """Twelve hex digits of a sha256 over the choices; the order of a mapping does not matter."""
    return hashlib.sha256(json.dumps(choices, sort_keys=True).encode()).hexdigest()[:12]
