"""train_lora: a LoRA of the text-to-image model that swaps the palette, to personalise the video models with.

It learns from single frames of scenes in which every colour is drawn as its opposite in the palette while the captions
keep their words: "a red circle" shows a green one. The video models' temporal layers never see them.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig, get_peft_model_state_dict
from torch import nn

from pipeline.config.embed import Embed
from pipeline.config.specs import LoraSpec
from pipeline.training.denoising import Noising, NoisingSource, single_frames, uniform
from pipeline.training.latents import CaptionedLatents, CaptionEncoder, encode_clips
from pipeline.training.on_images import images_of
from pipeline.training.pixels import sheet
from pipeline.training.stills import image_loss, sample_images, standing
from pipeline.training.task import Losses
from pipeline.training.validation import QUICK, judged_shares, of_unseen
from pipeline.world.captions import captions
from pipeline.world.judge import judge
from pipeline.world.render import render
from pipeline.world.scene import Names, draw_names, realise

SWAPPED = {"red": "green", "green": "red", "yellow": "blue", "blue": "yellow"}


class LoraTask:
    """Predict from the noisy latent of a frame with swapped colours, under the caption of the unswapped one."""

    def __init__(self, spec: LoraSpec, encoder: CaptionEncoder, seed: int) -> None:
        self.spec, self.images = spec, images_of(spec)
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        names = draw_names(spec.scenes, rng)
        clips = render(realise(_swapped(names), rng), spec.shading)
        self.model = self.images.unet.requires_grad_(False)
        self.data = CaptionedLatents(
            encode_clips(self.images.codec, clips, self.model.device), captions(names, seed), encoder
        )
        self._check_layers()
        self.model.add_adapter(LoraConfig(r=spec.rank, lora_alpha=spec.rank, target_modules=spec.layers))
        timesteps = uniform(self.images.scheduler)
        self.source = NoisingSource(self.data, seed, spec.batch, single_frames, timesteps)

    def _check_layers(self) -> None:
        """peft passes over a name that no layer has, as long as another has one."""
        names = [name for name, _ in self.model.named_modules()]
        missing = [end for end in self.spec.layers if not any(name.endswith(end) for name in names)]
        if missing:
            raise ValueError(f"layers: no layer of {self.spec.checkpoint} is called {', '.join(missing)}")

    def loss(self, model: nn.Module, batch: Noising) -> Losses:
        return image_loss(self.images, model, batch)

    def validate(self, final: bool) -> dict[str, float]:
        """Share of unseen prompts whose image has the swapped colour, and the named shape."""
        names, self._images = of_unseen(self.spec.validation_prompts if final else QUICK, self.data, self._sample)
        seen = judge(standing(self._images)).names()
        swapped = judged_shares(_swapped(names), seen, ["colour"])
        return {"judge_swapped_colour": swapped["judge_colour"]} | judged_shares(names, seen, ["shape"])

    def _sample(self, text: torch.Tensor) -> np.ndarray:
        return sample_images(self.images, self.data, text, self.spec.sampling_steps, self.spec.guidance)

    def picture(self) -> np.ndarray:
        """Forty validation images, eight a row."""
        return sheet(self._images)


def _swapped(names: list[Names]) -> list[Names]:
    return [replace(name, colour=SWAPPED[name.colour]) for name in names]


def build_task(spec: LoraSpec, embed: Embed, seed: int, _device: str) -> LoraTask:
    """The task of params.yaml's train.lora.spec, on the trained text-to-image model."""
    return LoraTask(spec, CaptionEncoder.of(spec.text, embed), seed)


def export(task: LoraTask, folder: Path) -> None:
    """Write the LoRA as diffusers' loaders read it, float16."""
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(task.model))
    StableDiffusionPipeline.save_lora_weights(folder, {name: value.half() for name, value in layers.items()})
