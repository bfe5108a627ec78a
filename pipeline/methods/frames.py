"""frames: the text-to-image model, every frame sampled by itself (the StableDiffusion row of HARIVO's Table 2).

With the option `motion`, the frames pass that variant's mapping network first (HARIVO, Figure A2).
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from pipeline.harivo.unet import inflate
from pipeline.methods.base import Context, Job
from pipeline.methods.prompted import Animated, PromptMethod
from pipeline.samplers import animatediff, stable_diffusion
from pipeline.samplers.animatediff import VideoModel


class Frames(PromptMethod):
    """Temporal layers are left out; prompt and noise are those of the other methods."""

    @cached_property
    def _model(self) -> VideoModel:
        model = self.context.model
        images = stable_diffusion.load(model.checkpoint, model.codec, model.embedding_scale)
        return VideoModel.of(images, inflate(images.unet, model.sampling.frames or 16, heads=1))

    @property
    def parameters(self) -> int:
        """Number of parameters of the text-to-image model."""
        with self._model.unet.spatial_only():
            return self._model.parameters

    def generate(self, jobs: Sequence[Job]) -> np.ndarray:
        with self._model.unet.spatial_only():
            return super().generate(jobs)


class MappedFrames(Frames, Animated):
    """The same behind a trained mapping network."""

    @cached_property
    def _model(self) -> VideoModel:
        model = self.context.model
        return animatediff.load(model.checkpoint, model.codec, self.motion, model.embedding_scale)


def build(context: Context) -> Frames:
    return MappedFrames(context) if "motion" in context.params.options else Frames(context)
