"""train_prior: P of Make-A-Video, from captions to the image embeddings of their clips' frames; the only part of the
cascade that reads captions, and they are those of images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from pipeline.config.cascade import PriorSpec
from pipeline.config.embed import Embed
from pipeline.make_a_video import prior
from pipeline.make_a_video.diffusion import noise_schedule
from pipeline.make_a_video.embedding import JointSpace
from pipeline.make_a_video.loading import save
from pipeline.make_a_video.prior import Prior
from pipeline.make_a_video.pyramid import embeddings_of, joint_space
from pipeline.training.latents import CaptionEncoder, training_captions
from pipeline.training.pictures import captioned_images
from pipeline.training.task import WHOLE, Batch, Losses, Share, step_generator
from pipeline.training.validation import QUICK, noise_of_seeds, unseen_prompts
from pipeline.world.scene import draw, realise

_TEXTS = 512  # at once
CANDIDATES = 20  # captions of other contents and the own, among which that is to be the nearest


@dataclass(frozen=True)
class Told(Batch):
    """image (B, d), clean, standardised; noise (B, d); timestep (B,); text (B, d); tokens (B, n, token_width)."""

    image: torch.Tensor
    noise: torch.Tensor
    timestep: torch.Tensor
    text: torch.Tensor
    tokens: torch.Tensor


@dataclass(frozen=True)
class Captions:
    """image: (N, P, d), standardised, of P frames of each of N clips; tokens: (D, n, token_width), scaled, and text:
    (D, d), embeddings of D distinct captions; text_of: (N,), which a clip has."""

    image: torch.Tensor
    tokens: torch.Tensor
    text: torch.Tensor
    text_of: torch.Tensor


@dataclass(frozen=True)
class ToldSource:
    """Draws `size` clips, a frame of each, which captions are dropped, timesteps and noise, in this order."""

    data: Captions
    seed: int
    size: int
    drop: float
    timesteps: int

    def batch(self, step: int, share: Share = WHOLE) -> Told:
        generator, data = step_generator(self.seed, step), self.data
        rows = torch.randint(len(data.image), (self.size,), generator=generator)
        image = data.image[rows, torch.randint(data.image.shape[1], (self.size,), generator=generator)]
        kept = torch.rand(self.size, generator=generator) >= self.drop
        timestep = torch.randint(self.timesteps, (self.size,), generator=generator)
        noise, own = torch.randn(image.shape, generator=generator), data.text_of[rows]
        text, tokens = data.text[own] * kept[:, None], data.tokens[own].float() * kept[:, None, None]
        return Told(image, noise, timestep, text, tokens).part(share)


class PriorTask:
    """Predict the clean image embedding."""

    def __init__(self, spec: PriorSpec, encoder: CaptionEncoder, seed: int, device: torch.device | str) -> None:
        torch.manual_seed(seed)
        self.spec, self.encoder, self.device = spec, encoder, device
        self.scheduler = noise_schedule("sample")
        self.space = joint_space(spec.clip, spec.text_tower)
        captions, image, self.unseen = self._pairs(seed)
        self.known = frozenset(captions)
        tokens, text, row = _embedded(captions, encoder, self.space)
        self.model = Prior(
            embedding=image.shape[-1],
            tokens=tokens.shape[1],
            token_width=tokens.shape[2],
            text_scale=encoder.embedded.scale,
            heads=spec.heads,
            head_dim=spec.head_dim,
            layers=spec.layers,
        )
        self.model.fit_scale(image.flatten(0, 1))
        data = Captions(self.model.standardised(image), tokens, text, row)
        self.model.to(device)
        self.source = ToldSource(data, seed, spec.batch, spec.drop, self.scheduler.config.num_train_timesteps)

    def _pairs(self, seed: int) -> tuple[list[str], torch.Tensor, tuple[list[str], torch.Tensor] | None]:
        """Captions of N clips or images, embeddings (N, P, d) of some of the frames of each, and of a folder those that
        are not trained on."""
        spec = self.spec
        if spec.images is None:
            scenes, captions = draw(spec.scenes, seed)[1], training_captions(spec.scenes, seed)
            return captions, embeddings_of(scenes, spec.shading, spec.rendered, self.space), None
        captions, image = captioned_images(spec.images, self.space)
        if len(captions) <= spec.unseen:
            said = f"{len(captions)} captioned images in {spec.images.folder}, of which {spec.unseen} are kept"
            raise ValueError(f"images: {said} for validation: none is left to train on")
        seen = len(captions) - spec.unseen
        return captions[:seen], image[:seen], (captions[seen:], image[seen:])

    def loss(self, model: nn.Module, batch: Told) -> Losses:
        noisy = self.scheduler.add_noise(batch.image, batch.noise, batch.timestep)
        return Losses(F.mse_loss(model(noisy, batch.timestep, batch.text, batch.tokens), batch.image))

    def validate(self, final: bool) -> dict[str, float]:
        """Of unseen prompts: cosine of the sampled embedding with that of a frame that shows what the prompt names, and
        the share of samples that are nearer to such a frame of their own prompt than of any other of 20."""
        spec = self.spec
        texts, true, shown = self._unseen(final)
        tokens, text, row = _embedded(texts, self.encoder, self.space)
        noise = noise_of_seeds(len(texts), (text.shape[-1],)).to(self.device)
        text, tokens = text[row].to(self.device), tokens[row].float().to(self.device)
        steps, guidance = spec.sampling_steps, spec.guidance
        made = prior.image_embeddings(self.model, self.scheduler, text, tokens, noise, steps, guidance).cpu()
        similar = F.normalize(made, dim=-1) @ F.normalize(true.mean(dim=1), dim=-1).T
        first = [_ranks_first(similar[i], shown, i) for i in range(len(shown))]
        return {"cosine": float(similar.diagonal().mean()), "ranked_first": float(np.mean(first))}

    def _unseen(self, final: bool) -> tuple[list[str], torch.Tensor, Sequence[object]]:
        """Prompts, embeddings (n, P, d) of frames that show what they name, and what that is; of a folder, its captions
        and images that are not trained on."""
        if self.unseen:
            return *self.unseen, self.unseen[0]
        spec = self.spec
        names, texts = unseen_prompts(spec.validation_prompts if final else QUICK, self.known)
        scenes = realise(names, np.random.default_rng(0))
        return texts, embeddings_of(scenes, spec.shading, spec.rendered, self.space), names

    def picture(self) -> None:
        return None


def _embedded(
    texts: list[str], encoder: CaptionEncoder, space: JointSpace
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Tokens (D, n, token_width), scaled, float16, and embeddings (D, d) of the distinct texts; the row of each."""
    tokens, row = encoder.embed(texts)
    scaled = [encoder.scaled(part) for part in tokens.split(_TEXTS)]
    text = torch.cat([space.texts(part, encoder.embedded.scale) for part in scaled])
    return torch.cat([part.half() for part in scaled]), text, row


def _ranks_first(similar: torch.Tensor, shown: Sequence[object], own: int) -> bool:
    others = [i for i in range(len(shown)) if shown[i] != shown[own]][: CANDIDATES - 1]
    return bool((similar[own] > similar[others]).all())


def build_task(spec: PriorSpec, embed: Embed, seed: int, device: str) -> PriorTask:
    """The task of params.yaml's train.prior.spec."""
    return PriorTask(spec, CaptionEncoder.of(spec.text, embed), seed, device)


def export(task: PriorTask, folder: Path) -> None:
    """Write prior and scheduler, float16."""
    save(folder, task.model, task.scheduler)
