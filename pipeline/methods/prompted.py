"""What methods share that animate a text-to-image model: prompts one by one, its UNet, HARIVO's sampling."""

import hashlib
import sys
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from metrics.hashing import content_hash, fingerprint, sha256
from pipeline import harivo
from pipeline.harivo import noise as noises
from pipeline.methods.base import Context, Job
from pipeline.prompts.sets import Prompt
from pipeline.samplers import animatediff, guidance, stable_diffusion
from pipeline.samplers.guidance import Guidance
from pipeline.weights.checkpoints import resolve

T = TypeVar("T")


class PromptMethod:
    """A method that makes a clip for every prompt and seed, from the prompt's own embedding.

    The prompts are those of the model's set that no mixture is made of. The initial noise depends on prompt and seed
    alone: it is the same in every method. Subclasses sample.
    """

    OPTIONS: tuple[str, ...] = ()

    def __init__(self, context: Context) -> None:
        self.context = context
        self._refuse_unknown_options()
        self.fps = context.model.fps
        prompts, mixtures = context.tables
        mixed = {part for mixture in mixtures for part in (*mixture.parts, mixture.guide)}
        own = [prompt for prompt in prompts.values() if prompt.set == context.model.set and prompt.id not in mixed]
        self.prompts: list[Prompt] = own[: context.params.prompts or context.generate.prompts]
        if not self.prompts:
            raise ValueError(f"params.yaml: generate.models: the set {context.model.set!r} has no prompts of its own")

    def _refuse_unknown_options(self) -> None:
        for name in sorted(set(self.context.params.options) - set(self.OPTIONS)):
            known = ", ".join(self.OPTIONS) or "none"
            raise ValueError(f"{self._key(name)}: no such option, expected one of: {known}")

    def _key(self, name: str) -> str:
        return f"params.yaml: generate.methods.{self.context.name}.{name}"

    def option(self, name: str, kind: type[T], expected: str, default: T | None = None) -> T:
        """One of the method's own options.

        Raises:
            ValueError: if it is of another kind, or missing and without default.
        """
        found = self.context.params.options.get(name, default)
        if not isinstance(found, kind):
            raise ValueError(f"{self._key(name)} is {found!r}, expected {expected}")
        return found

    @property
    def origin(self) -> str:
        """The checkpoint."""
        return self.context.model.checkpoint

    @cached_property
    def weights(self) -> str:
        """Hash of everything that is loaded: weights and configurations."""
        return fingerprint([content_hash(folder) for folder in self._folders if folder.is_dir()])

    @property
    def _folders(self) -> list[Path]:
        model = self.context.model
        parts = [resolve(model.checkpoint) / part for part in ("unet", "scheduler", "vae")]
        return parts + ([resolve(model.codec)] if model.codec else [])

    @cached_property
    def guidance(self) -> Guidance:
        """The model's guidance."""
        wanted = self.context.model.sampling.guidance
        return Guidance(wanted) if isinstance(wanted, float) else Guidance(**dict(wanted))

    @property
    def mg_scale(self) -> float:
        """α of the mitigating gradient; 0 leaves it out."""
        return 0.0

    @property
    def choices(self) -> dict[str, Any]:
        """What else the method decides, for fingerprints."""
        return {"mg_scale": self.mg_scale, "noise": self.noise}

    @cached_property
    def _settings(self) -> list[object]:
        model = self.context.model
        return [
            self.weights,
            model.sampling.model_dump(),
            model.embedding_scale,
            model.unconditional,
            self.choices,
            type(self).__name__,
            [sha256(path) for path in self._code],
            [version(library) for library in ("diffusers", "peft")],
        ]

    @property
    def _code(self) -> list[Path]:
        """The files that make a clip: sampling, HARIVO's networks, and the method with what it inherits from."""
        own = {sys.modules[kind.__module__] for kind in type(self).__mro__ if kind is not object}
        files = {Path(str(module.__file__)) for module in {animatediff, stable_diffusion, guidance, *own}}
        return sorted(files | set(Path(str(harivo.__file__)).parent.glob("*.py")))

    def fingerprint(self, job: Job) -> str:
        """Hash of what all clips share and of the job's embedding."""
        embedding = self.context.embeddings.of(job.prompt_id)
        return fingerprint([*self._settings, hashlib.sha256(embedding.numpy().tobytes()).hexdigest()])

    def jobs(self) -> list[Job]:
        """A job for every prompt and seed."""
        return [
            Job(f"{prompt.name}-s{seed}", "", seed, "", prompt.text, prompt.text, prompt.id)
            for prompt in self.prompts
            for seed in range(self.context.params.seeds or 1)
        ]

    @property
    def parameters(self) -> int:
        """Number of parameters of the denoiser."""
        return self._model.parameters

    @cached_property
    def _model(self) -> animatediff.VideoModel:
        raise NotImplementedError

    def prepare(self) -> None:
        """Load the model, and refuse embeddings, a codec or a number of frames that do not fit it, and what the
        mitigating gradient cannot be computed for."""
        unet, codec = self._model.unet, self._model.codec
        length, width = self.context.embeddings.tokens.shape[1:]
        frames = self._frames
        for what, found, wanted in (
            ("width of the embeddings", width, unet.config.cross_attention_dim),
            ("latent channels of the codec", codec.config.latent_channels, unet.config.in_channels),
            *((("length of the embeddings", length, unet.tokens.config.length),) if unet.tokens else ()),
            *((("frames", frames, unet.tokens.config.frames),) if unet.tokens else ()),
        ):
            if found != wanted:
                raise ValueError(f"{self.origin}: {what}: found {found}, expected {wanted}")
        if frames > unet.config.motion_max_seq_length:
            most = unet.config.motion_max_seq_length
            raise ValueError(f"{self.origin}: frames: found {frames}, expected at most {most}")
        if self.mg_scale:
            self._check_mitigation(frames, self._model.scheduler.config.prediction_type)

    def _check_mitigation(self, frames: int, prediction_type: str) -> None:
        nothing = torch.zeros(1, 1, frames, 1, 1)
        try:
            guidance.mitigate(nothing, nothing, 0.5, prediction_type, self.mg_scale)
        except ValueError as error:
            raise ValueError(f"{self.origin}: {error}") from error

    @property
    def _frames(self) -> int:
        """As many as params.yaml asks for, else as the temporal layers were trained with."""
        return self.context.model.sampling.frames or self._model.unet.config.motion_max_seq_length

    def generate(self, jobs: Sequence[Job]) -> np.ndarray:
        """uint8 clips (B, T, H, W, 3)."""
        return animatediff.sample(*self.inputs(jobs), self.context.unconditional).numpy()

    def inputs(
        self, jobs: Sequence[Job]
    ) -> tuple[animatediff.VideoModel, torch.Tensor, torch.Tensor, animatediff.Sampling]:
        """What samples the clips of B jobs: the model, embeddings (B, n, d), noise (B, C, F, h, w), and how."""
        embeddings = torch.stack([self.context.embeddings.of(job.prompt_id) for job in jobs])
        noise = torch.stack([self._noise(job) for job in jobs])
        wanted = self.context.model.sampling
        sampling = animatediff.Sampling(wanted.steps, self.guidance, self.mg_scale, wanted.precision)
        return self._model, embeddings, noise, sampling

    def _noise(self, job: Job) -> torch.Tensor:
        wanted, config = self.context.model.sampling, self._model.unet.config
        spatial = stable_diffusion.scale_factor(self._model.codec)
        height = wanted.height // spatial if wanted.height else config.sample_size
        width = wanted.width // spatial if wanted.width else config.sample_size
        shape = (config.in_channels, self._frames, height, width)
        return noises.video_noise(shape, _noise_seed(job), *self.noise)

    @property
    def noise(self) -> tuple[noises.NoiseKind, float]:
        """The kind of initial noise, and PYoCo's weight of the part that frames share."""
        return "iid", 0.0


class Animated(PromptMethod):
    """Samples a video UNet: the model's text-to-image checkpoint with the temporal layers of the option `motion`."""

    OPTIONS = ("motion",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.motion = self.option("motion", str, "a folder or hub id")

    @property
    def origin(self) -> str:
        """Text-to-image checkpoint and temporal layers."""
        return f"{self.context.model.checkpoint} + {self.motion}"

    @property
    def _folders(self) -> list[Path]:
        return [*super()._folders, resolve(self.motion)]

    @cached_property
    def _model(self) -> animatediff.VideoModel:
        model = self.context.model
        return animatediff.load(model.checkpoint, model.codec, self.motion, model.embedding_scale)


def _noise_seed(job: Job) -> int:
    """Seed of the initial noise, from prompt and seed alone."""
    return int.from_bytes(hashlib.sha256(f"{job.prompt_id}/{job.seed}".encode()).digest()[:7], "big")
