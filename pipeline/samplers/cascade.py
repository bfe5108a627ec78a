"""Make-A-Video: text embeddings + initial noise -> clips, by ŷ = SR_h ∘ SR_t ∘ ↑F ∘ D_t ∘ P (Eq. 1).

The parts are networks of `pipeline.make_a_video`, each a folder of its own. A method may leave out all but D; what is
made without it is said in `Cascade` (pipeline/config/methods.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import torch
from torch import nn

from pipeline.config.generate import Model
from pipeline.config.methods import Cascade
from pipeline.make_a_video import decoder, upscaling
from pipeline.make_a_video.interpolation import Interpolator
from pipeline.make_a_video.networks import CascadeModel
from pipeline.make_a_video.prior import image_embeddings
from pipeline.samplers.decoding import to_clips
from pipeline.samplers.guidance import Guidance
from pipeline.weights.checkpoints import weights_of

FRAMES = 16  # of a clip, where params.yaml names no number


@dataclass(frozen=True)
class CascadeSampler:
    """Samples the cascade; see samplers.base. `wanted.sampling`: steps and guidance of D_t, frames, height and width of
    the clips that come out."""

    wanted: Model
    guidance: float
    options: Cascade
    frame_axis = 0

    @property
    def origin(self) -> str:
        return " + ".join([self.wanted.checkpoint, *self._folders])

    @property
    def _folders(self) -> list[str]:
        own = self.options
        parts = [part.folder for part in (own.prior, own.interpolation, own.sr_t, own.sr_h) if part]
        return [*parts, *([own.video] if own.video else [])]

    @property
    def weights(self) -> str:
        return weights_of(self.wanted, ("unet", "scheduler"), self.options.clip, *self._folders)

    @property
    def settings(self) -> dict[str, Any]:
        steps = {
            name: {key: value for key, value in part.items() if key != "folder"}
            for name, part in self.options.model_dump(include={"prior", "interpolation", "sr_t", "sr_h"}).items()
            if part
        }
        return {**self.wanted.sampling.model_dump(), "cascade": steps, "factor": self.options.factor}

    @cached_property
    def model(self) -> CascadeModel:
        """The networks, loaded when they are first asked for."""
        return CascadeModel.load(self.wanted.checkpoint, self.options, self.decoded)

    @property
    def parameters(self) -> int:
        return self.model.parameters

    @property
    def frames(self) -> int:
        """Of the clips that come out."""
        return self.wanted.sampling.frames or FRAMES

    @property
    def decoded(self) -> int:
        """Frames that D_t makes."""
        return (self.frames - 1) // self.options.factor + 1

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of each part's noise, in this order, so that it is the same in variants that leave the last parts out."""
        model = self.model
        side = model.size
        shapes = {
            "prior": (model.embedding,),
            "video": (3, self.decoded, side, side),
            "interpolation": (3, self.frames, side, side),
        }
        if model.sr_t:
            side = model.sr_t[0].config.image["sample_size"]
            shapes["sr_t"] = (3, self.frames, side, side)
        if model.sr_h:
            side = model.sr_h[0].config.sample_size
            shapes["sr_h"] = (3, side, side)
        return shapes

    @property
    def noise_shape(self) -> tuple[int, ...]:
        return (sum(prod(shape) for shape in self.shapes.values()),)

    def prepare(self, length: int, width: int) -> None:
        self._check_text(length, width)
        self._check_frames()
        for name, below, own in self._sizes():
            if below != own:
                raise ValueError(f"{self.origin}: {name} enlarges {own} pixels, what comes before makes {below}")

    def _check_text(self, length: int, width: int) -> None:
        """Refuse embeddings that P, or D_t without it, was not made for, and parts of different spaces."""
        model = self.model
        fits = {"width of the image embeddings": (width, model.embedding)}
        if model.prior:
            config = model.prior[0].config
            fits = {
                "width of the tokens": (width, config.token_width),
                "tokens": (length, config.tokens),
                "width of the prior's embeddings": (config.embedding, model.embedding),
            }
        if model.interpolation:
            image = model.interpolation[0].config.image
            fits["width of the interpolation's embeddings"] = (image["encoder_hid_dim"], model.embedding)
            fits["pixels of the interpolation"] = (image["sample_size"], model.size)
        for what, (found, expected) in fits.items():
            if found != expected:
                raise ValueError(f"{self.origin}: {what}: found {found}, expected {expected}")

    def _check_frames(self) -> None:
        """Refuse numbers of frames that a part cannot take."""
        model, factor = self.model, self.options.factor
        if model.interpolation and (self.frames - 1) % factor:
            said = f"expected 1 more than a multiple of the factor, which is {factor}"
            raise ValueError(f"{self.origin}: sampling.frames is {self.frames}, {said}")
        asked = {"video": (model.video, self.decoded), "sr_t": (model.sr_t, self.frames)}
        if self.options.interpolation:
            asked["interpolation"] = (model.interpolation, self.options.interpolation.window)
        for name, (part, frames) in asked.items():
            if part and frames > (most := part[0].config.most_frames):
                raise ValueError(f"{self.origin}: {name}: {frames} frames, expected at most {most}")

    def _sizes(self) -> Iterator[tuple[str, int, int]]:
        """Of each super-resolution: its name, the pixels that it is given, those that it was trained on."""
        side = self.model.size
        for name in ("sr_t", "sr_h"):
            part = getattr(self.options, name)
            if part:
                yield name, side, part.low
                side = self.shapes[name][-1]

    @torch.inference_mode()
    def sample(self, embeddings: torch.Tensor, noise: torch.Tensor, unconditional: torch.Tensor | None) -> torch.Tensor:
        """See samplers.base; `unconditional` is not used, P's guidance steers away from zeros.

        Args:
            embeddings: tokens (B, n, d); without a prior image embeddings (B, 1, d).
            noise: (B, the number of `noise_shape`), of each part after the other.
        """
        device, precision = self.model.video[0].device, self.wanted.sampling.precision
        drawn = self.drawn(noise.to(device))
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            image = self.image(embeddings.to(device), drawn["prior"])
            return self.finished(self.decoded_video(image, drawn["video"]), image, drawn)

    def finished(self, video: torch.Tensor, image: torch.Tensor, drawn: dict[str, torch.Tensor]) -> torch.Tensor:
        """SR_h ∘ SR_t ∘ ↑F of what D_t makes, or of true frames of its size, as far as these parts are there.

        Args:
            video: (B, 3, F, s, s), about [-1, 1]. image: their image embeddings (B, d). drawn: see `drawn`.

        Returns:
            uint8 clips (B, T, H, W, 3) on the CPU, of the size that `sampling` names.
        """
        video = self.enlarged(self.interpolated(video.clamp(-1, 1), image, drawn), drawn)
        size = (self.wanted.sampling.height, self.wanted.sampling.width)
        return to_clips((resized(video.float(), size).movedim(1, 2) + 1) / 2)

    def drawn(self, noise: torch.Tensor) -> dict[str, torch.Tensor]:
        """Noise (B, the number of `noise_shape`) as that of each part, by the names of `shapes`."""
        shapes = self.shapes
        parts = noise.split([prod(shape) for shape in shapes.values()], dim=1)
        return {name: part.view(-1, *shapes[name]) for name, part in zip(shapes, parts, strict=True)}

    def image(self, embeddings: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """P ∘ (x̂, C_x(x)), or what is given in its place."""
        if not (self.model.prior and self.options.prior):
            return embeddings[:, 0]
        prior, scheduler = self.model.prior
        text = self.model.space.texts(embeddings, prior.config.text_scale)
        wanted = self.options.prior
        return image_embeddings(prior, scheduler, text, embeddings, noise, wanted.steps, wanted.guidance)

    def decoded_video(self, image: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """D_t: (B, 3, F, s, s)."""
        unet, scheduler = self.model.video
        fps, steps = self.wanted.fps / self.options.factor, self.wanted.sampling.steps
        return decoder.videos(unet, scheduler, image, noise, fps, steps, self.guidance)

    def interpolated(self, video: torch.Tensor, image: torch.Tensor, drawn: dict[str, torch.Tensor]) -> torch.Tensor:
        """↑F: (B, 3, T, s, s); without it each frame stays until the next."""
        factor = self.options.factor
        if not (self.model.interpolation and self.options.interpolation):
            return video.repeat_interleave(factor, dim=2)[:, :, : self.frames]
        part, (unet, scheduler) = self.options.interpolation, self.model.interpolation
        between = Interpolator(unet, scheduler, part.steps, part.guidance, part.window)
        return between.interpolate(video, factor, image, self.wanted.fps, drawn["interpolation"])

    def enlarged(self, video: torch.Tensor, drawn: dict[str, torch.Tensor]) -> torch.Tensor:
        """SR_h ∘ SR_t, as far as they are there."""
        if self.model.sr_t and self.options.sr_t:
            steps = self.options.sr_t.steps
            video = upscaling.upscaled_videos(*self.model.sr_t, video.clamp(-1, 1), drawn["sr_t"], steps)
        if self.model.sr_h and self.options.sr_h:
            steps = self.options.sr_h.steps
            video = upscaling.upscaled_frames(*self.model.sr_h, video.clamp(-1, 1), drawn["sr_h"], steps)
        return video


def resized(video: torch.Tensor, size: tuple[int | None, int | None]) -> torch.Tensor:
    """Videos (B, 3, T, h, w) with other sides; None is the side that they have. Whole times smaller they are box
    averages, as all sizes of the toy world are; else bilinear and antialiased."""
    height, width = (wanted or have for wanted, have in zip(size, video.shape[-2:], strict=True))
    rows = video.movedim(2, 1).flatten(0, 1)
    down, across = rows.shape[-2] // height, rows.shape[-1] // width
    if (height * down, width * across) == tuple(rows.shape[-2:]):
        rows = nn.functional.avg_pool2d(rows, (down, across))
    else:
        rows = nn.functional.interpolate(rows, (height, width), mode="bilinear", antialias=True)
    return rows.unflatten(0, (len(video), -1)).movedim(1, 2)


def build(model: Model, guidance: Guidance, options: Cascade) -> CascadeSampler:
    """The sampler of an entry of generate.models with a method's parts.

    Raises:
        ValueError: if guidance changes while sampling, or the mitigating gradient is on: Make-A-Video has neither.
    """
    if guidance.mg_scale:
        raise ValueError("the mitigating gradient is HARIVO's, Make-A-Video is sampled without it")
    if guidance.early not in (None, guidance.late):
        raise ValueError("sampling.guidance changes at a timestep, expected one number for Make-A-Video")
    return CascadeSampler(model, guidance.late, options)
