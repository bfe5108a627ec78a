"""What the latent models of the world learn from, and what is common to learning it: clips as the codec's latents,
captions as token embeddings, noise, and the judge's shares on prompts that no training saw."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from diffusers import AutoencoderKL, SchedulerMixin
from tqdm import tqdm

from pipeline.samplers import stable_diffusion
from pipeline.samplers.stable_diffusion import ImageModel
from pipeline.text.encoders import TextEncoder
from pipeline.training.codec import to_model
from pipeline.world.captions import captions
from pipeline.world.render import render
from pipeline.world.scene import Names, draw

VALIDATION_SEED = 2_000_001  # prompts that no training seed draws


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


@dataclass(frozen=True)
class OnImages:
    """What every spec of a training on top of a frozen text-to-image model states.

    checkpoint, codec: the model and, where it has no vae/ of its own, the codec of its latents. encoder,
    encoder_checkpoint: the text encoder (encoders.TextEncoder). text_tokens, embedding_scale, zeros: see Captions.
    scenes: how many are drawn. The rest as in training.t2i.
    """

    checkpoint: str
    codec: str | None
    encoder: str
    encoder_checkpoint: str
    text_tokens: int
    embedding_scale: float
    zeros: bool
    batch: int
    scenes: int
    sampling_steps: int
    guidance: float
    validation_prompts: int

    def images(self) -> ImageModel:
        """The text-to-image model."""
        return stable_diffusion.load(self.checkpoint, self.codec, self.embedding_scale)

    def captions(self) -> Captions:
        """Its text encoder, and how embeddings are brought to it."""
        encoder = TextEncoder(self.encoder, self.encoder_checkpoint)
        return Captions(encoder, self.text_tokens, self.embedding_scale, self.zeros)


@dataclass(frozen=True)
class Noised:
    """What a denoiser of captioned latents learns from: noisy and target (B, …), timestep (B,), text (B, n, d)."""

    noisy: torch.Tensor
    timestep: torch.Tensor
    text: torch.Tensor
    target: torch.Tensor


def target(scheduler: SchedulerMixin, clean: torch.Tensor, noise: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
    """What a model of this schedule's parametrisation shall predict, of the latents' shape.

    Raises:
        ValueError: if it is neither epsilon nor v_prediction.
    """
    kind = scheduler.config.prediction_type
    if kind not in ("epsilon", "v_prediction"):
        raise ValueError(f"prediction_type is {kind!r}, expected epsilon or v_prediction")
    return noise if kind == "epsilon" else scheduler.get_velocity(clean, noise, timestep)


def noised(
    scheduler: SchedulerMixin,
    clean: torch.Tensor,
    timestep: torch.Tensor,
    text: torch.Tensor,
    generator: torch.Generator,
    device: torch.device | str,
) -> Noised:
    """Clean latents (B, …) with noise of the generator, and what the schedule's parametrisation makes the target."""
    noise = torch.randn(clean.shape, generator=generator)
    clean, noise, text, timestep = (x.to(device) for x in (clean, noise, text, timestep))
    wanted = target(scheduler, clean, noise, timestep)
    return Noised(scheduler.add_noise(clean, noise, timestep), timestep, text, wanted)


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

    def conditions(self, rows: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        """Scaled embeddings (B, n, d) of the clips' captions; the empty prompt's where `kept` is False."""
        texts = self.texts[self.text_of[rows]].float()
        return torch.where(kept[:, None, None], texts, self.how.empty) * self.how.scale


def training_captions(scenes: int, seed: int) -> list[str]:
    """The captions of the scenes that a training of this seed sees."""
    return captions(draw(scenes, seed)[0], seed)


def unseen_prompts(n: int, known: frozenset[str]) -> tuple[list[Names], list[str]]:
    """n in-distribution prompts, none of them word for word in training, and the names they state."""
    names, _ = draw(8 * n, VALIDATION_SEED)
    pairs = [pair for pair in zip(names, captions(names, VALIDATION_SEED), strict=True) if pair[1] not in known][:n]
    return [name for name, _ in pairs], [text for _, text in pairs]


def judged_shares(named: Sequence[Names], seen: Sequence[Names], attributes: Sequence[str]) -> dict[str, float]:
    """For each attribute, the share of samples in which the judge sees what the prompt names: {"judge_colour": …}."""
    pairs = list(zip(named, seen, strict=True))
    return {
        f"judge_{key}": float(np.mean([getattr(a, key) == getattr(b, key) for a, b in pairs])) for key in attributes
    }


def sheet(images: np.ndarray, columns: int = 8, rows: int = 5) -> np.ndarray:
    """The first images (N, H, W, 3) in rows, as many whole rows as there are, at least a part of one."""
    whole = min(rows, len(images) // columns)
    if not whole:
        return np.concatenate(list(images), axis=1)
    return np.concatenate([np.concatenate(list(images[i * columns :][:columns]), 1) for i in range(whole)], 0)


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
