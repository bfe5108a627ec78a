"""Captioned clips as the latent models learn from them: the codec's latents, the captions' token embeddings."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from diffusers import AutoencoderKL

from metrics.progress import each
from pipeline.text.encoders import TextEncoder
from pipeline.training.pixels import to_model
from pipeline.world.captions import captions
from pipeline.world.render import render
from pipeline.world.scene import draw


@dataclass(frozen=True)
class Captions:
    """A text encoder and how its embeddings are brought to a model: padded length, the factor that gives MiniLM's
    tokens about unit variance, and whether padding and the empty prompt are zeros, as in the world, or what the encoder
    makes of them, as for Stable Diffusion."""

    encoder: TextEncoder
    tokens: int
    scale: float
    zeros: bool = True

    def embed(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Embeddings of the distinct texts (D, n, d), float16 and unscaled, and the row of each text in them."""
        distinct = sorted(set(texts))
        row = {text: i for i, text in enumerate(distinct)}
        tokens = self.encoder.encode(distinct, self.tokens, zero_padding=self.zeros).tokens
        return tokens.half(), torch.tensor([row[text] for text in texts])

    @cached_property
    def empty(self) -> torch.Tensor:
        """(n, d), unscaled: what stands for no prompt."""
        empty = self.encoder.encode([""], self.tokens, zero_padding=self.zeros).tokens[0]
        return torch.zeros_like(empty) if self.zeros else empty


class CaptionedLatents:
    """N captioned clips.

    latents: (N, T, C, h, w), float16; texts: (D, n, d), float16, embeddings of the distinct captions; text_of: (N,),
    the row of each clip's caption in them; captions: N texts; known: every caption that no prompt of a validation may
    be, by default those of the clips.
    """

    def __init__(
        self, latents: torch.Tensor, captions: list[str], how: Captions, known: frozenset[str] | None = None
    ) -> None:
        self.latents, self.captions, self.how = latents, captions, how
        self.known = frozenset(captions) if known is None else known
        self.texts, self.text_of = how.embed(captions)

    @classmethod
    def of_world(
        cls,
        scenes: int,
        seed: int,
        codec: AutoencoderKL,
        how: Captions,
        device: torch.device | str = "cpu",
        used: int | None = None,
    ) -> "CaptionedLatents":
        """Clips of the world: the first `used` of `scenes` that are drawn, or all of them; all of their captions are
        known."""
        _, drawn = draw(scenes, seed)
        latents = encode_clips(codec, render(drawn[:used]), device)
        texts = training_captions(scenes, seed)
        return cls(latents, texts[:used], how, frozenset(texts))

    def conditions(self, rows: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
        """Scaled embeddings (B, n, d) of the clips' captions; the empty prompt's where `kept` (B,) is False."""
        texts = self.texts[self.text_of[rows]].float()
        chosen = texts if kept is None else torch.where(kept[:, None, None], texts, self.how.empty)
        return chosen * self.how.scale


def training_captions(scenes: int, seed: int) -> list[str]:
    """The captions of the scenes that a training of this seed sees."""
    return captions(draw(scenes, seed)[0], seed)


@torch.inference_mode()
def encode_clips(codec: AutoencoderKL, clips: np.ndarray, device: torch.device | str, batch: int = 16) -> torch.Tensor:
    """uint8 clips (N, T, H, W, 3) -> scaled latents (N, T, C, h, w), float16 on the CPU."""
    encoded = []
    for i in each(range(0, len(clips), batch), "encoding", "batches", keep=False):
        part = clips[i : i + batch]
        frames = to_model(part).flatten(0, 1).to(device)
        mean = codec.encode(frames).latent_dist.mean * codec.config.scaling_factor
        encoded.append(mean.unflatten(0, part.shape[:2]).half().cpu())
    return torch.cat(encoded)
