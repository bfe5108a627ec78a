"""The metrics by name: how each is shown and what it needs. Loads nothing heavy."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """How a metric is shown and what it needs.

    higher: whether more is better. digits: after the point. needs: "real" clips, "captions", "pairs" of clips, or ""
    for nothing. network: that must have seen the clips, or "" for pixels.
    """

    label: str
    higher: bool
    digits: int
    needs: str
    network: str

    @property
    def title(self) -> str:
        """The label with an arrow towards the better."""
        return f"{self.label} {'↑' if self.higher else '↓'}"


METRICS = {
    "fvd": Metric("FVD", False, 2, "real", "i3d"),
    "fvd_inf": Metric("FVD∞", False, 2, "real", "i3d"),
    "kvd": Metric("KVD", False, 3, "real", "i3d"),
    "clipsim": Metric("CLIPSIM", True, 4, "captions", "clip"),
    "clip_score": Metric("CLIPScore", True, 4, "captions", "clip"),
    "frame_consistency": Metric("Frame consistency", True, 4, "", "clip"),
    "ssim": Metric("SSIM", True, 4, "pairs", ""),
    "psnr": Metric("PSNR (dB)", True, 2, "pairs", ""),
}


def checked(names: Sequence[str]) -> Sequence[str]:
    """The names, if all of them are metrics.

    Raises:
        ValueError: naming those that are not.
    """
    unknown = [name for name in names if name not in METRICS]
    if unknown:
        raise ValueError(f"no metric {', '.join(map(repr, unknown))}, expected some of {', '.join(METRICS)}")
    return names
