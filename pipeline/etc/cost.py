"""What attention costs and sees, of a video as one image or as frames (ETC's formulas, Appendices A and B.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_BYTES = 4  # of a float32


@dataclass(frozen=True)
class Shape:
    """[B, L, C] of hidden states: B sequences of L tokens with C channels. Tokens of different sequences are apart.

    Raises:
        ValueError: if one of them is less than one.
    """

    batch: int
    tokens: int
    channels: int

    def __post_init__(self) -> None:
        if min(self.batch, self.tokens, self.channels) < 1:
            raise ValueError(f"a shape of attention: found {self}, expected numbers of at least 1")

    def __str__(self) -> str:
        return f"[{self.batch}, {self.tokens}, {self.channels}]"


@dataclass(frozen=True)
class Setting:
    """A video of T frames with H W places each, in latents of C channels. Raises as `Shape`."""

    frames: int
    places: int
    channels: int = 4

    def __post_init__(self) -> None:
        if min(self.frames, self.places, self.channels) < 1:
            raise ValueError(f"a video: found {self}, expected numbers of at least 1")

    @property
    def image(self) -> Shape:
        """All frames in one sequence, as a grid's spatial attention takes them."""
        return Shape(1, self.frames * self.places, self.channels)

    @property
    def spatial(self) -> Shape:
        """A sequence for each frame."""
        return Shape(self.frames, self.places, self.channels)

    @property
    def temporal(self) -> Shape:
        """A sequence for each place, through all frames."""
        return Shape(self.places, self.frames, self.channels)

    @property
    def parts(self) -> dict[str, Shape]:
        """The three by their names."""
        return {"image": self.image, "spatial": self.spatial, "temporal": self.temporal}


# Table 3, by the shapes that it prints.
SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        "base": Setting(frames=16, places=1024),
        "long_video": Setting(frames=32, places=1024),
        "high_res": Setting(frames=16, places=2048),
        "high_quality": Setting(frames=32, places=2048),
    }
)


def operations(shape: Shape) -> int:
    """2 B L C (4 C + L), the operations of one self-attention with its three matrices, as printed (Appendix A.1.2).

    A multiplication and an addition are two. The text gives scores times V 2 B L C² operations, which are 2 B L² C, so
    that attention has 2 B L C (3 C + 2 L); what is printed is kept here, and docs/etc.md has the difference.
    """
    return 2 * shape.batch * shape.tokens * shape.channels * (4 * shape.channels + shape.tokens)


def ratio(setting: Setting) -> float:
    """(4 C + T H W) / (8 C + H W + T): operations of the image's attention for one of the video's two (A.1.3)."""
    return operations(setting.image) / (operations(setting.spatial) + operations(setting.temporal))


def receptive_field(shape: Shape) -> float:
    """L / (T H W), in (0, 1]: the share of a video's tokens that one of them can attend to (B.1). T H W is B L."""
    return shape.tokens / (shape.batch * shape.tokens)


def held(shape: Shape) -> int:
    """Bytes of Q, K, V, the scores and the output in float32, where the scores are held, as Eq. 7 and 8 write them.

    Kernels that never hold all scores (FlashAttention) need Q, K, V and the output alone.
    """
    return _BYTES * shape.batch * shape.tokens * (4 * shape.channels + shape.tokens)
