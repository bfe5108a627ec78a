"""Attention maps of the decoder, and the loss that keeps those of self-attention alike from frame to frame (HARIVO,
Section 3.3)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from diffusers import UNetMotionModel
from diffusers.models.attention_processor import Attention


class _Recorder:
    """An attention processor that notes its maps (B F, heads, queries, keys)."""

    def __init__(self, note: Callable[[torch.Tensor], None]) -> None:
        self.note = note

    def __call__(
        self,
        attn: Attention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        seen = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        inputs = ((attn.to_q, hidden_states), (attn.to_k, seen), (attn.to_v, seen))
        query, key, value = (attn.head_to_batch_dim(layer(states)) for layer, states in inputs)
        weights = attn.get_attention_scores(query, key, attention_mask)
        self.note(weights.unflatten(0, (-1, attn.heads)))
        output = attn.batch_to_head_dim(weights @ value)
        for layer in attn.to_out:
            output = layer(output)
        return output


@contextmanager
def recorded(unet: UNetMotionModel) -> Iterator[list[torch.Tensor]]:
    """Record the spatial self-attention maps of the decoder, from its first layer to its last, during the block."""
    maps: list[torch.Tensor] = []
    with noted(unet, "attn1", maps.append):
        yield maps


@contextmanager
def noted(unet: UNetMotionModel, kind: str, note: Callable[[torch.Tensor], None]) -> Iterator[None]:
    """Pass the decoder's spatial attention maps to `note`, layer by layer, during the block: those of self-attention
    (`attn1`), or of attention to the text (`attn2`)."""
    before, recorder = unet.attn_processors, _Recorder(note)
    unet.set_attn_processor({name: recorder if _is_of_decoder(name, kind) else p for name, p in before.items()})
    try:
        yield
    finally:
        unet.set_attn_processor(before)


def _is_of_decoder(name: str, kind: str) -> bool:
    return name.startswith("up_blocks.") and ".attentions." in name and name.endswith(f".{kind}.processor")


def trs_loss(maps: Sequence[torch.Tensor], frames: int) -> torch.Tensor:
    """L_TRS = Σ_i Σ_{j=2..F} λ_i |A_i(j) − A_i(j−1)| with λ_i = i / N over the N decoder layers (HARIVO, Eq. 3).

    |·| is the mean over heads, queries and keys: the paper does not say; a sum would grow with the resolution to the
    fourth power and drown Eq. 1 at any published weight. The loss is the mean over videos.

    Args:
        maps: N maps (B F, heads, queries, keys), first decoder layer first.

    Raises:
        ValueError: if there are no maps.
    """
    if not maps:
        raise ValueError("no self-attention in the decoder: L_TRS needs cross-attention up blocks in the UNet")
    total = torch.zeros((), device=maps[0].device)
    for i, layer in enumerate(maps, 1):
        video = layer.unflatten(0, (-1, frames))
        steps = (video[:, 1:] - video[:, :-1]).abs().mean(dim=(2, 3, 4))
        total = total + i / len(maps) * steps.sum(dim=1).mean()
    return total
