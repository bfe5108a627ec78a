"""train@lora: a LoRA of the text-to-image model that swaps the palette, to personalise the video models with.

It learns from single frames of scenes in which every colour is drawn as its opposite in the palette while the captions
keep their words: "a red circle" shows a green one. The video models' temporal layers never see them.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig, get_peft_model_state_dict
from torch import nn
from torch.nn import functional as F

from pipeline.samplers.stable_diffusion import sample
from pipeline.training.latents import OnImages, encode_clips, judged_shares, noised, sheet, unseen_prompts
from pipeline.training.loop import step_generator
from pipeline.world.captions import captions
from pipeline.world.judge import judge
from pipeline.world.render import render
from pipeline.world.scene import FRAMES, draw_names, realise

SWAPPED = {"red": "green", "green": "red", "yellow": "blue", "blue": "yellow"}


@dataclass(frozen=True)
class LoraSpec(OnImages):
    """Rank and adapted layers (the ends of their names)."""

    rank: int
    layers: list[str]


class LoraTask:
    """Predict from the noisy latent of a frame with swapped colours, under the caption of the unswapped one."""

    def __init__(self, spec: LoraSpec, seed: int) -> None:
        self.spec, self.seed, self.images, self.how = spec, seed, spec.images(), spec.captions()
        images = self.images
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        names = draw_names(spec.scenes, rng)
        swapped = [replace(name, colour=SWAPPED[name.colour]) for name in names]
        self.latents = encode_clips(images.codec, render(realise(swapped, rng)), images.unet.device)
        texts = captions(names, seed)
        self.known = frozenset(texts)
        self.texts, self.text_of = self.how.embed(texts)
        images.unet.requires_grad_(False)
        images.unet.add_adapter(LoraConfig(r=spec.rank, lora_alpha=spec.rank, target_modules=spec.layers))
        self.model = nn.ModuleList(p for n, p in images.unet.named_modules() if n.endswith(("lora_A", "lora_B")))

    def loss(self, step: int) -> torch.Tensor:
        generator = step_generator(self.seed, step)
        batch, scheduler = (self.spec.batch,), self.images.scheduler
        rows = torch.randint(len(self.latents), batch, generator=generator)
        frames = torch.randint(FRAMES, batch, generator=generator)
        timestep = torch.randint(scheduler.config.num_train_timesteps, batch, generator=generator)
        text = self.texts[self.text_of[rows]].float() * self.spec.embedding_scale
        clean, unet = self.latents[rows, frames].float(), self.images.unet
        x = noised(scheduler, clean, timestep, text, generator, unet.device)
        return F.mse_loss(unet(x.noisy, x.timestep, x.text).sample, x.target)

    def validate(self, final: bool) -> dict[str, float]:
        """Share of unseen prompts whose image has the swapped colour, and the named shape."""
        n = self.spec.validation_prompts if final else 40
        names, texts = unseen_prompts(n, self.known)
        tokens, row = self.how.embed(texts)
        shape = (self.images.unet.config.in_channels, *self.latents.shape[-2:])
        noise = torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(i)) for i in range(n)])
        sampling = (self.spec.sampling_steps, self.spec.guidance)
        self._images = sample(self.images, tokens[row].float(), noise, *sampling, self.how.empty).numpy()
        seen = judge(np.repeat(self._images[:, None], FRAMES, axis=1)).names()
        swapped = judged_shares([replace(name, colour=SWAPPED[name.colour]) for name in names], seen, ["colour"])
        return {"judge_swapped_colour": swapped["judge_colour"]} | judged_shares(names, seen, ["shape"])

    def picture(self) -> np.ndarray:
        """Forty validation images, eight a row."""
        return sheet(self._images)


def build_task(spec: dict[str, Any], seed: int, device: str) -> LoraTask:
    """The task of params.yaml's train.lora.spec, on the trained text-to-image model."""
    return LoraTask(LoraSpec(**spec), seed)


def export(task: LoraTask, folder: Path) -> None:
    """Write the LoRA as diffusers' loaders read it, float16."""
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(task.images.unet))
    StableDiffusionPipeline.save_lora_weights(folder, {name: value.half() for name, value in layers.items()})
