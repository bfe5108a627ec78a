"""How much the frames of a grid attend to one another in the UNet's mid block (ETC, Appendix B.3, Figure 11)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.models.attention_processor import Attention

from pipeline.etc.grid import from_grid, side
from pipeline.etc.unet import GridUNet


@dataclass(frozen=True)
class FrameAttention:
    """What one prediction of a grid's UNet looks at.

    timestep: of the noise. shares: (B, heads, T, T) float32, see `frame_shares`.
    """

    timestep: int
    shares: torch.Tensor


def frame_shares(weights: torch.Tensor, frames: int, height: int, width: int) -> torch.Tensor:
    """Sum an attention map over the tokens of each pair of frames.

    Figure 11's caption prints the sum over x ∈ Frame_i, y ∈ Frame_i of attn_{x,y} for row i, column j; y ∈ Frame_j must
    be meant, or all columns were alike. Here that sum is divided by the tokens of a frame, so that an entry is the
    share of its attention that frame i gives to frame j.

    Args:
        weights: (B, heads, N, N), softmax over the last axis; token n lies at (n // width, n % width) of the feature
            map, as diffusers flattens it. frames: T, a square number. height, width: of the feature map, N in all.

    Returns:
        (B, heads, T, T), in [0, 1]; row i is of the tokens of frame i and sums to 1.

    Raises:
        ValueError: if T is no square, the feature map has no whole number of tokens for each frame, or N is another.
    """
    if weights.shape[-2:] != (height * width, height * width):
        found = "x".join(map(str, weights.shape[-2:]))
        raise ValueError(f"attention over a feature map of {height}x{width}: found {found}, expected {height * width}²")
    tokens = torch.arange(height * width, device=weights.device).view(1, 1, height, width)
    order = from_grid(tokens, frames).flatten()  # frame by frame
    pairs = weights[..., order, :][..., order].unflatten(-1, (frames, -1)).unflatten(-3, (frames, -1))
    return pairs.sum(-1).mean(-2)


@contextmanager
def recorded(model: GridUNet) -> Iterator[list[FrameAttention]]:
    """Record every prediction during the block, in order; the predictions are what they would be without it.

    Raises:
        ValueError: if the mid block has not one layer of self-attention; in the block, if a frame of the latents is no
            whole number of the mid block's tokens.
    """
    unet, before = model.unet, model.unet.attn_processors
    layers = [name for name in before if name.startswith("mid_block.") and name.endswith(".attn1.processor")]
    if len(layers) != 1:
        raise ValueError(f"the UNet's mid block: found {len(layers)} layers of self-attention, expected one")
    calls: list[tuple[int, tuple[int, int, int]]] = []
    found: list[FrameAttention] = []

    def note_call(_module: torch.nn.Module, inputs: tuple[Any, ...]) -> None:
        calls.append((int(inputs[1]), _tokens(model, inputs[0])))

    def note(weights: torch.Tensor) -> None:
        timestep, tokens = calls[-1]
        found.append(FrameAttention(timestep, frame_shares(weights.float(), *tokens)))

    handle = model.register_forward_pre_hook(note_call)
    unet.set_attn_processor(before | {layers[0]: _Listener(before[layers[0]], note)})
    try:
        yield found
    finally:
        unet.set_attn_processor(before)
        handle.remove()


class _Listener:
    """An attention processor that leaves the output to `inner`, and computes the weights (B, heads, N, N) beside it:
    the fused kernels of others never hold them."""

    def __init__(self, inner: Any, note: Callable[[torch.Tensor], None]) -> None:
        self.inner, self.note = inner, note

    def __call__(
        self,
        attn: Attention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        query, key = (attn.head_to_batch_dim(layer(hidden_states)) for layer in (attn.to_q, attn.to_k))
        weights = attn.get_attention_scores(query, key, attention_mask)
        self.note(weights.unflatten(0, (-1, attn.heads)))
        return self.inner(attn, hidden_states, encoder_hidden_states, attention_mask)


def _tokens(model: GridUNet, noisy: torch.Tensor) -> tuple[int, int, int]:
    """T, and the height and width of the mid block's feature map, of latents (B, C, T, h, w)."""
    factor = 2 ** (len(model.unet.config.block_out_channels) - 1)
    frames, height, width = noisy.shape[2:]
    if height % factor or width % factor:
        said = f"the mid block has a token for {factor}x{factor} latents, and would share tokens between frames"
        raise ValueError(f"frames of latents: found {height}x{width}, expected multiples of {factor}: {said}")
    tiles = side(frames)
    return frames, tiles * height // factor, tiles * width // factor
