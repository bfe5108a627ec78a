"""Where in a frame its frame-wise tokens are attended to (HARIVO, Figure 6b)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isqrt
from typing import Any

import numpy as np
import pandas as pd
import torch

from pipeline.harivo.attention import noted
from pipeline.harivo.unet import VideoUNet

COLUMNS = ("video", "frame", "row", "column", "share", "even", "object")
_STANDS_OUT = 30  # of 255: what differs that much from the frame's median colour is the object


def token_attention(unet: VideoUNet, sample: Callable[[], np.ndarray]) -> pd.DataFrame:
    """How much of its attention to the text each place of a frame gives to the frame's own tokens, while `sample` runs.

    A row for each place of the decoder's finest attention. share: of the K tokens together, the mean over heads,
    layers, sampling steps, of the prediction with the prompt, in [0, 1]; even: K / (M + K), if all of the text were
    attended to alike. object: the share of the place's pixels that differ from the frame's median colour.

    Args:
        sample: denoises videos (B, T, H, W, 3), uint8, with this network, once, with guidance.

    Raises:
        ValueError: if the network has no frame-wise tokens.
    """
    with _observed(unet) as seen:
        clips = np.asarray(sample())
    shares, tokens = seen.mean(len(clips)), unet.tokens.config
    videos, frames, height, width = shares.shape
    places = pd.MultiIndex.from_product([range(n) for n in shares.shape], names=list(COLUMNS[:4]))
    table = pd.DataFrame({"share": shares.flatten().numpy()}, places).reset_index()
    shown = _object(clips, height, width).reshape(videos, frames, height, width)
    even = tokens.per_frame / (tokens.length + tokens.per_frame)
    return table.assign(even=even, object=shown.flatten())[list(COLUMNS)]


class _Sums:
    """Shares of frame-wise tokens, summed over layers and steps of the finest maps seen."""

    def __init__(self, own: int, frames: int) -> None:
        self.own, self.frames = own, frames
        self.sum, self.count, self.size = torch.zeros(0), 0, (0, 0)

    def note(self, weights: torch.Tensor) -> None:
        """(2 B F, heads, queries, keys) of one layer: guidance's two halves."""
        shares = weights[..., -self.own :].sum(-1).mean(1).chunk(2)[1].float().cpu()
        if shares.shape[-1] > self.sum.shape[-1]:
            self.sum, self.count = torch.zeros_like(shares), 0
        if shares.shape[-1] == self.sum.shape[-1]:
            self.sum, self.count = self.sum + shares, self.count + 1

    def mean(self, videos: int) -> torch.Tensor:
        """(B, F, h, w)."""
        places = self.sum.shape[-1]
        height = isqrt(places * self.size[0] // self.size[1])
        return (self.sum / self.count).reshape(videos, self.frames, height, places // height)


@contextmanager
def _observed(unet: VideoUNet) -> Iterator[_Sums]:
    if unet.tokens is None:
        raise ValueError("the model has no frame-wise tokens")
    sums = _Sums(unet.tokens.config.per_frame, unet.tokens.config.frames)

    def note_size(_module: torch.nn.Module, inputs: tuple[Any, ...]) -> None:
        sums.size = tuple(inputs[0].shape[-2:])

    handle = unet.register_forward_pre_hook(note_size)
    try:
        with noted(unet, "attn2", sums.note):
            yield sums
    finally:
        handle.remove()


def _object(clips: np.ndarray, height: int, width: int) -> np.ndarray:
    """(B, T, h, w): the share of each place's pixels that stand out from the background."""
    frames = clips.astype(float)
    apart = np.abs(frames - np.median(frames, axis=(2, 3), keepdims=True)).max(axis=-1) > _STANDS_OUT
    b, t, h, w = apart.shape
    return apart.reshape(b, t, height, h // height, width, w // width).mean(axis=(3, 5))
