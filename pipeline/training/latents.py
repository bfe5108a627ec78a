"""Captioned clips as the latent models learn from them: the codec's latents, the captions' token embeddings."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from metrics.progress import each
from pipeline.codec.loading import Codec
from pipeline.config.embed import Embed, EmbeddedSet, Text
from pipeline.text.encoders import TextEncoder
from pipeline.training.pixels import to_model
from pipeline.world.captions import captions
from pipeline.world.render import render
from pipeline.world.scene import draw


@dataclass(frozen=True)
class CaptionEncoder:
    """A text encoder, and the set whose way of embedding captions share.

    Where padding is zeroed the empty prompt is zeros too, as in the toy world; else both are what the encoder makes of
    them, as for Stable Diffusion.
    """

    encoder: TextEncoder
    embedded: EmbeddedSet

    @classmethod
    def of(cls, text: Text, embed: Embed) -> "CaptionEncoder":
        """What a training's specification names."""
        wanted = embed.encoders[text.encoder]
        return cls(TextEncoder(wanted.kind, wanted.checkpoint), wanted.sets[text.set])

    def embed(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Embeddings of the distinct texts (D, n, d), float16 and unscaled, and the row of each text in them."""
        distinct = sorted(set(texts))
        row = {text: i for i, text in enumerate(distinct)}
        return self._encode(distinct).half(), torch.tensor([row[text] for text in texts])

    @cached_property
    def empty(self) -> torch.Tensor:
        """(n, d), unscaled: what stands for no prompt."""
        empty = self._encode([""])[0]
        return torch.zeros_like(empty) if self.embedded.zero_padding else empty

    def scaled(self, tokens: torch.Tensor) -> torch.Tensor:
        """Embeddings as a model takes them: float32, with the set's factor."""
        return tokens.float() * self.embedded.scale

    def _encode(self, texts: list[str]) -> torch.Tensor:
        return self.encoder.encode(texts, self.embedded.length, self.embedded.zero_padding).tokens


class CaptionedLatents:
    """N captioned clips.

    latents: (N, T, C, h, w), float16; texts: (D, n, d), float16, embeddings of the distinct captions; text_of: (N,),
    the row of each clip's caption in them; captions: N texts; known: every caption that no prompt of a validation may
    be, by default those of the clips; content_of: (N,), a number of what each clip shows, by default its caption's row.
    """

    def __init__(
        self,
        latents: torch.Tensor,
        captions: list[str],
        encoder: CaptionEncoder,
        known: frozenset[str] | None = None,
        content_of: torch.Tensor | None = None,
    ) -> None:
        self.latents, self.captions, self.encoder = latents, captions, encoder
        self.known = frozenset(captions) if known is None else known
        self.texts, self.text_of = encoder.embed(captions)
        self.content_of = self.text_of if content_of is None else content_of

    @classmethod
    def of_world(
        cls,
        scenes: int,
        seed: int,
        codec: Codec,
        encoder: CaptionEncoder,
        device: torch.device | str = "cpu",
        used: int | None = None,
        *,
        shading: float,
    ) -> "CaptionedLatents":
        """Clips of the toy world: the first `used` of `scenes` that are drawn, or all of them; all of their captions
        are known, and colour and shape are what they show."""
        names, drawn = draw(scenes, seed)
        latents = encode_clips(codec, render(drawn[:used], shading), device)
        texts = training_captions(scenes, seed)
        shown = [(name.colour, name.shape) for name in names[:used]]
        number = {content: i for i, content in enumerate(sorted(set(shown)))}
        contents = torch.tensor([number[content] for content in shown])
        return cls(latents, texts[:used], encoder, frozenset(texts), contents)

    def conditions(self, rows: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
        """Scaled embeddings (B, n, d) of the clips' captions; the empty prompt's where `kept` (B,) is False."""
        texts = self.texts[self.text_of[rows]].float()
        chosen = texts if kept is None else torch.where(kept[:, None, None], texts, self.encoder.empty)
        return self.encoder.scaled(chosen)


def training_captions(scenes: int, seed: int) -> list[str]:
    """The captions of the scenes that a training of this seed sees."""
    return captions(draw(scenes, seed)[0], seed)


@torch.inference_mode()
def encode_clips(codec: Codec, clips: np.ndarray, device: torch.device | str, batch: int = 16) -> torch.Tensor:
    """uint8 clips (N, T, H, W, 3) -> scaled latents (N, T, C, h, w), float16 on the CPU."""
    encoded = []
    for i in each(range(0, len(clips), batch), "encoding", "batches", keep=False):
        part = clips[i : i + batch]
        frames = to_model(part).flatten(0, 1).to(device)
        mean = codec.encode(frames).latent_dist.mean * codec.config.scaling_factor
        encoded.append(mean.unflatten(0, part.shape[:2]).half().cpu())
    return torch.cat(encoded)
