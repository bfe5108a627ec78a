"""train_interpolation: ↑F of Make-A-Video, D_t fine-tuned to fill in frames, on videos without captions."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from pipeline.config.cascade import InterpolationSpec
from pipeline.config.embed import Embed
from pipeline.make_a_video.interpolation import FURTHER, Interpolator, blended, observed
from pipeline.make_a_video.loading import RGB, load_videos, save
from pipeline.make_a_video.pyramid import joint_space, psnr, scaled
from pipeline.training.decoder import as_judged
from pipeline.training.embedded import pixel_loss
from pipeline.training.motion_source import spread
from pipeline.training.pictures import of_scenes, pictures
from pipeline.training.pixels import strips, to_frames
from pipeline.training.task import Losses
from pipeline.training.unlabelled import MaskedNoising, MaskedSource
from pipeline.training.validation import QUICK, VALIDATION_SEED, noise_of_seeds
from pipeline.weights.checkpoints import resolve
from pipeline.world.scene import draw

_RATES = 1  # beside the seed: by the same numbers colours are drawn
_UNIFORM = 1.0  # what decides a frame between two others is decided at every noise


class InterpolationTask:
    """Predict v of the frames that are not known."""

    def __init__(self, spec: InterpolationSpec, seed: int, device: torch.device | str) -> None:
        torch.manual_seed(seed)
        self.spec, self.space = spec, joint_space(spec.clip, spec.text_tower)
        before, self.scheduler = load_videos(resolve(spec.checkpoint), RGB)
        self.model = before.widened(FURTHER).to(device)
        rates = np.random.default_rng([seed, _RATES]).choice(spec.rates, spec.scenes)
        data, self.unseen = pictures(spec, seed, self.space, (spec.frames - 1) // 2, rates)
        timesteps = spread(self.scheduler, _UNIFORM)
        factors, extrapolated = tuple(spec.factors), spec.extrapolated
        self.source = MaskedSource(data, seed, spec.batch, spec.frames, factors, extrapolated, spec.drop, timesteps)

    def loss(self, model: nn.Module, batch: MaskedNoising) -> Losses:
        """L_simple over the frames that are not known."""
        told, unknown = observed(batch.clean, batch.known), ~batch.known[:, None, :, None, None]

        def predict(noisy: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
            return model(torch.cat([noisy, told], dim=1), timestep, batch.image, batch.fps)

        return Losses(pixel_loss(self.scheduler, batch, predict, unknown))

    def validate(self, final: bool) -> dict[str, float]:
        """PSNR in dB of the new frames between every factor-th of unseen clips, in the toy world at the lowest rate,
        beside linear blending's."""
        spec, found, device = self.spec, {}, self.model.device
        _, scenes = draw(spec.validation_scenes if final else QUICK, VALIDATION_SEED)
        data = self.unseen or of_scenes(scenes, min(spec.rates), spec, self.space)
        ready = Interpolator(self.model, self.scheduler, spec.sampling_steps, spec.guidance, spec.frames)
        for factor in spec.factors:
            frames = (spec.frames - 1) // factor * factor + 1
            true = scaled(data.pixels[:, :frames]).movedim(2, 1)
            image, noise = data.image[:, data.image.shape[1] // 2], noise_of_seeds(len(true), true.shape[1:])
            parts = zip(*(one.split(1 if self.unseen else 20) for one in (true, image, noise, data.fps)), strict=True)
            made = torch.cat(
                [
                    ready.interpolate(
                        clips[:, :, ::factor].to(device), factor, own.to(device), float(fps[0]), drawn.to(device)
                    )
                    for clips, own, drawn, fps in parts
                ]
            ).cpu()
            new = torch.arange(frames) % factor != 0
            found[f"psnr_{factor}"] = psnr(made[:, :, new], true[:, :, new])
            found[f"blended_psnr_{factor}"] = psnr(blended(true[:, :, ::factor], factor)[:, :, new], true[:, :, new])
            self._clips = as_judged(to_frames(made.movedim(2, 1)))
        return found

    def picture(self) -> np.ndarray:
        """Ten validation clips of the last factor, one a row, every second frame."""
        return strips(self._clips)


def build_task(spec: InterpolationSpec, _embed: Embed, seed: int, device: str) -> InterpolationTask:
    """The task of params.yaml's train.interpolation.spec, on the trained video decoder."""
    return InterpolationTask(spec, seed, device)


def export(task: InterpolationTask, folder: Path) -> None:
    """Write the whole network and its scheduler, float16."""
    save(folder, task.model, task.scheduler)
