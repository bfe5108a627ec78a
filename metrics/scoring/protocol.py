"""Protocols: every choice behind a value, by name, and the fingerprint that is printed with it."""

from dataclasses import asdict, dataclass, field, replace

from metrics.digests import digest
from metrics.networks.rules import Resize
from metrics.reading.rule import ClipRule


@dataclass(frozen=True)
class Protocol:
    """The choices of a code base. ddof: of the covariance, 1 divides by n - 1, 0 (population) by n. clips: None where
    the features were made elsewhere.
    """

    name: str
    i3d_resize: Resize
    clip_resize: Resize
    ddof: int = 1
    clips: ClipRule | None = field(default_factory=ClipRule)

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

    weights: sha256 of the network's. gen: digest of the scored clips' content; real, captions, originals: of what they
    are compared with. n_gen, n_real: clips (windows) scored. decoder: libraries, versions, how pixels are shown; codec:
    of the files; both list gen before real. code: number of the project's code behind the features. files: digest of
    all of a checkpoint's, configurations and tokenizer included. torch, transformers, torchmetrics: versions. device:
    that computed; of all these, gen before real where they differ. subsets: which clips a value is drawn from, where
    that is not all of them at once.
    """

    metric: str
    protocol: str
    network: str
    weights: str
    frames: int | None
    start: int | None
    stride: int | None
    windows: int | None
    resize: str
    value_range: str
    gen: str
    n_gen: int
    decoder: str
    codec: str
    n_real: int | None = None
    real: str | None = None
    captions: str | None = None
    originals: str | None = None
    ddof: int | None = None
    subsets: str | None = None
    code: str | None = None
    files: str | None = None
    torch: str | None = None
    transformers: str | None = None
    torchmetrics: str | None = None
    device: str | None = None

    @property
    def choices(self) -> dict[str, str | int]:
        """The choices that the metric knows."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    @property
    def digest(self) -> str:
        """sha256 of the choices, 64 hex digits; tables show the first twelve."""
        return digest(self.choices)
