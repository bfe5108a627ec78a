"""The records of metrics that are one number for a clip: a set's value is the mean over its clips.

They stand apart from the catalogue because measuring needs them, and nothing of the statistics behind the others.
"""

from typing import TYPE_CHECKING

from metrics.scoring.metric import Metric

if TYPE_CHECKING:
    import torch


def _clipsim(frames: "torch.Tensor", caption: "torch.Tensor") -> "torch.Tensor":
    from metrics.distances.clipsim import clipsim

    return clipsim(frames, caption)


def _clip_score(frames: "torch.Tensor", caption: "torch.Tensor") -> "torch.Tensor":
    from metrics.distances.clipsim import clip_score

    return clip_score(frames, caption)


def _frame_consistency(frames: "torch.Tensor", _: "torch.Tensor | None") -> "torch.Tensor":
    from metrics.distances.clipsim import frame_consistency

    return frame_consistency(frames)


CLIPSIM = Metric("clipsim", "CLIPSIM", True, 4, needs="captions", network="clip", of_frames=_clipsim)
CLIP_SCORE = Metric("clip_score", "CLIPScore", True, 4, needs="captions", network="clip", of_frames=_clip_score)
FRAME_CONSISTENCY = Metric(
    "frame_consistency", "Frame consistency", True, 4, network="clip", of_frames=_frame_consistency, frames=2
)
# What `metrics.distances.pairs.compare` measures of a clip and its original.
SSIM = Metric("ssim", "SSIM", True, 4, needs="pairs", by_name=True)
PSNR = Metric("psnr", "PSNR", True, 2, unit="dB", needs="pairs", by_name=True)

# What `metrics.scoring.readings` reads off a clip's pixels.
TEMPORAL_FLICKERING = Metric("temporal_flickering", "Temporal flickering", True, 4, network="pixels", by_name=True)
DYNAMIC_DEGREE = Metric("dynamic_degree", "Dynamic degree", True, 1, unit="%", network="flow", by_name=True)
WARPING_ERROR = Metric("warping_error", "Warping error", False, 5, network="flow", by_name=True)

PER_CLIP = (
    CLIPSIM,
    CLIP_SCORE,
    FRAME_CONSISTENCY,
    SSIM,
    PSNR,
    TEMPORAL_FLICKERING,
    DYNAMIC_DEGREE,
    WARPING_ERROR,
)
