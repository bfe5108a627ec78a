"""Motion and its consistency from a dense optical flow: how many clips move, and how well frames follow the motion.

Flow is in pixels: frame t at (x, y) is seen at (x + u, y + v) in frame t + 1. It is computed by OpenCV's DIS (Kroeger
et al. 2016), which needs no weights, or given by the caller. Dynamic degree is VBench's (Huang et al. 2024), warping
error that of Lai et al. 2018, "Learning Blind Video Temporal Consistency"; both were defined with networks (RAFT,
FlowNet2), so values with DIS are not to be mixed with printed ones.
"""

from itertools import pairwise

import cv2
import numpy as np
import torch
from torch.nn import functional as F

LEAST_SIDE = 16  # pixels of the shorter side: DIS matches patches of 8 x 8 on a pyramid
FULL_UP_TO = 256  # pixels of the shorter side: above, flow is found at half the resolution, which takes a fourth
DESCRIPTION = f"optical flow: DIS, preset medium, at half resolution above {FULL_UP_TO}, OpenCV {cv2.__version__}"
_SHARE = 0.05  # of the pixels, those that move most
_THRESHOLD, _AT_SIDE = 6.0, 256.0  # pixels a frame that count as motion, where the shorter side has so many pixels
_PAIRS, _OF_FRAMES = 4, 16  # so many pairs of so many frames must move


def dis_flow(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Flow (H, W, 2), float32, from one frame uint8 (H, W, 3) to another.

    DIS's finest scale is 0, full resolution, because frames may have 32 pixels and warping wants fractions of a pixel;
    1, the preset's own, where the shorter side has more than 256.

    Raises:
        ValueError: if a side has fewer than 16 pixels.
    """
    if min(first.shape[:2]) < LEAST_SIDE:
        raise ValueError(
            f"{first.shape[1]}x{first.shape[0]} pixels, optical flow wants at least {LEAST_SIDE}x{LEAST_SIDE}"
        )
    cv2.setNumThreads(1)  # it runs in one of several workers
    method = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    method.setFinestScale(0 if min(first.shape[:2]) <= FULL_UP_TO else 1)
    grey = (cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY) for frame in (first, second))
    return method.calc(*grey, None)


def dis_flows(clip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flows (T - 1, H, W, 2) of a clip uint8 (T, H, W, 3): from each frame to the next, and back."""
    there = np.stack([dis_flow(a, b) for a, b in pairwise(clip)])
    back = np.stack([dis_flow(b, a) for a, b in pairwise(clip)])
    return there, back


def dynamic_degree(flows: np.ndarray) -> float:
    """1 if a clip with these flows (T - 1, H, W, 2) moves, else 0; its mean over clips is VBench's dynamic degree.

    A pair of frames moves if its fastest 5 % of pixels move by more than 6 pixels on average, where the shorter side
    has 256; a clip if 4 of 16 frames' pairs do (at least one; VBench, with three frames or fewer, asks for none).
    VBench takes 8 frames a second of a video, and expects more motion of a slower one; here the frames are the clip's.
    """
    pairs, height, width, _ = flows.shape
    size = np.hypot(flows[..., 0], flows[..., 1]).reshape(pairs, -1)
    fastest = max(int(height * width * _SHARE), 1)
    speed = np.partition(size, -fastest, axis=1)[:, -fastest:].mean(axis=1)
    moving = int((speed > _THRESHOLD * min(height, width) / _AT_SIDE).sum())
    return float(moving >= max(round(_PAIRS * (pairs + 1) / _OF_FRAMES), 1))


def warping_error(clip: np.ndarray, there: np.ndarray, back: np.ndarray) -> float:
    """Mean over pairs of frames of the squared difference of a frame and the next one warped back onto it.

    Σ M |V_t - warp(V_t+1)|² / Σ M over pixels and channels in [0, 1], as the authors' code has it; their formula sums
    over the three channels and gives three times as much. M leaves out pixels that are occluded by the forward-backward
    check |w + w'|² > 0.01 (|w|² + |w'|²) + 0.5, at the edge of motions |∇w|² > 0.01 |w|² + 0.002 (Ruder et al. 2016),
    or outside the next frame (the authors repeat its border). The flow is the clip's own: the authors take that of the
    video before its processing, which generated videos have not.

    Args:
        clip: uint8 (T, H, W, 3). there, back: flows (T - 1, H, W, 2) between its neighbouring frames.

    Returns:
        In [0, 1], 0 for a still picture; NaN if no pixel of any pair is seen twice (the authors: 0).
    """
    errors = [_pair_error(*parts) for parts in zip(clip[:-1], clip[1:], there, back, strict=True)]  # one pair in memory
    seen = [error for error in errors if not np.isnan(error)]
    return float(np.mean(seen)) if seen else float("nan")


def _pair_error(frame: np.ndarray, following: np.ndarray, there: np.ndarray, back: np.ndarray) -> float:
    first, second, flow, reverse = (
        torch.from_numpy(np.ascontiguousarray(x, np.float32)).movedim(-1, 0)[None]
        for x in (frame, following, there, back)
    )
    squares = (((warp(second, flow) - first) / 255) ** 2).mean(dim=1)
    return float(squares[visible(flow, reverse)].mean())  # NaN if nothing is


def warp(images: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Images (N, C, H, W) looked up, bilinearly, where flow (N, 2, H, W) points to; beyond it the edge repeats."""
    height, width = images.shape[-2:]
    x, y = _targets(flow)
    grid = torch.stack([2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], dim=-1)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=True)


def visible(flow: torch.Tensor, reverse: torch.Tensor) -> torch.Tensor:
    """Pixels (N, H, W) of a frame that the next one shows too, from the flows (N, 2, H, W) to it and back."""
    height, width = flow.shape[-2:]
    x, y = _targets(flow)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    returned = warp(reverse, flow)
    own, theirs = (flow**2).sum(dim=1), (returned**2).sum(dim=1)
    occluded = ((flow + returned) ** 2).sum(dim=1) > 0.01 * (own + theirs) + 0.5
    across = F.pad(flow.diff(dim=3), (0, 1)) ** 2 + F.pad(flow.diff(dim=2), (0, 0, 0, 1)) ** 2
    edge = across.sum(dim=1) > 0.01 * own + 0.002
    return inside & ~occluded & ~edge


def _targets(flow: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where every pixel of flow (N, 2, H, W) goes: x and y (N, H, W)."""
    height, width = flow.shape[-2:]
    return torch.arange(width) + flow[:, 0], torch.arange(height)[:, None] + flow[:, 1]
