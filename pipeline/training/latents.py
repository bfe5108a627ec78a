"""What the world's latent models learn from: clips as the codec's latents, captions as token embeddings."""

from dataclasses import dataclass

import numpy as np
import torch
from diffusers import AutoencoderKL
from tqdm import tqdm

from pipeline.encoders import TextEncoder
from pipeline.training.codec import to_model
from pipeline.world.captions import captions
from pipeline.world.render import render
from pipeline.world.scene import Names, draw

VALIDATION_SEED = 2_000_001  # prompts that no training seed draws


@dataclass(frozen=True)
class Captions:
    """A text encoder and how its embeddings are brought to a model: padded length, and the factor that gives MiniLM's
    tokens about unit variance."""

    encoder: TextEncoder
    tokens: int
    scale: float

    def embed(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Embeddings of the distinct texts (D, n, d), float16 and unscaled, and the row of each text in them."""
        distinct = sorted(set(texts))
        row = {text: i for i, text in enumerate(distinct)}
        tokens = self.encoder.encode(distinct, self.tokens, zero_padding=True).tokens
        return tokens.half(), torch.tensor([row[text] for text in texts])


class CaptionedLatents:
    """N captioned clips of the world.

    latents: (N, T, C, h, w), float16; texts: (D, n, d), float16, embeddings of the distinct captions; text_of: (N,),
    the row of each clip's caption in them; known: the captions.
    """

    def __init__(
        self, scenes: int, seed: int, codec: AutoencoderKL, how: Captions, device: torch.device | str = "cpu"
    ) -> None:
        names, drawn = draw(scenes, seed)
        self.how = how
        self.latents = encode_clips(codec, render(drawn), device)
        texts = captions(names, seed)
        self.known = frozenset(texts)
        self.texts, self.text_of = how.embed(texts)

    def conditions(self, rows: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        """Scaled embeddings (B, n, d) of the clips' captions; zeros, the empty prompt, where `kept` is False."""
        return self.texts[self.text_of[rows]].float() * self.how.scale * kept[:, None, None]


def unseen_prompts(n: int, known: frozenset[str]) -> tuple[list[Names], list[str]]:
    """n in-distribution prompts, none of them word for word in training, and the names they state."""
    names, _ = draw(8 * n, VALIDATION_SEED)
    pairs = [pair for pair in zip(names, captions(names, VALIDATION_SEED), strict=True) if pair[1] not in known][:n]
    return [name for name, _ in pairs], [text for _, text in pairs]


@torch.inference_mode()
def encode_clips(codec: AutoencoderKL, clips: np.ndarray, device: torch.device | str, batch: int = 16) -> torch.Tensor:
    """uint8 clips (N, T, H, W, 3) -> scaled latents (N, T, C, h, w), float16 on the CPU."""
    encoded = []
    for i in tqdm(range(0, len(clips), batch), desc="encoding", disable=None, leave=False):
        part = clips[i : i + batch]
        frames = to_model(part).flatten(0, 1).to(device)
        mean = codec.encode(frames).latent_dist.mean * codec.config.scaling_factor
        encoded.append(mean.unflatten(0, part.shape[:2]).half().cpu())
    return torch.cat(encoded)
