"""What a method is, and what most of them share: an embedding, initial noise, a CogVideoX model."""

import hashlib
import importlib
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from metrics.hashing import content_hash, fingerprint, sha256
from pipeline.config import paths
from pipeline.config.entry import pick
from pipeline.config.params import Generate, Model, Params
from pipeline.config.params import Method as MethodParams
from pipeline.prompts.sets import Mixture, Prompt
from pipeline.prompts.tables import read_tables
from pipeline.richspace.search import SearchResults
from pipeline.samplers import cogvideox, guidance
from pipeline.text.embeddings import Embeddings
from pipeline.weights.checkpoints import resolve

Clip = np.ndarray | Path  # uint8 (T, H, W, 3), or a video file that is brought as it is


@dataclass(frozen=True)
class Job:
    """One clip to make. `prompt` says what conditions it, `caption` what it shall show; see ledger.Entry."""

    clip: str
    mixture: str
    seed: int
    variant: str
    prompt: str
    caption: str
    prompt_id: str = ""


class Method(Protocol):
    """A way of making clips.

    jobs: every clip that is asked for, in a fixed order. fingerprint: of all that makes a job's clip, code and library
    versions included; a clip of another fingerprint is made anew. weights: hash of the weights, "" where there are
    none. parameters: number of parameters of the denoiser, 0 where there is none. prepare: loads what `generate` needs;
    called once, before any clip, so that its faults end the stage and its seconds are nobody's. fps: of the files.
    origin: where the clips come from, for people: a checkpoint, a folder.
    """

    fps: int

    @property
    def weights(self) -> str: ...
    @property
    def parameters(self) -> int: ...
    @property
    def origin(self) -> str: ...
    def jobs(self) -> Sequence[Job]: ...
    def fingerprint(self, job: Job) -> str: ...
    def prepare(self) -> None: ...
    def generate(self, jobs: Sequence[Job]) -> Sequence[Clip]:
        """The clips of B jobs, often as one array uint8 (B, T, H, W, 3)."""
        ...


@dataclass(frozen=True)
class Context:
    """What a method may need: its own parameters, those of its stage, the search's k, HARIVO's α, and the prompt
    tables."""

    name: str
    params: MethodParams
    generate: Generate
    k: int
    mg_scale: float

    @classmethod
    def of(cls, wanted: Params, name: str) -> "Context":
        """The context of a method of params.yaml.

        Raises:
            ValueError: if there is none of that name.
        """
        method = pick("generate.methods", wanted.generate.methods, name)
        return cls(name, method, wanted.generate, wanted.search.default_k, wanted.harivo.mg_scale)

    @cached_property
    def tables(self) -> tuple[dict[str, Prompt], list[Mixture]]:
        """Prompts by id, and mixtures."""
        return read_tables(paths.PROMPTS, paths.MIXTURES)

    @cached_property
    def embeddings(self) -> Embeddings:
        """Token embeddings of the model's prompt set."""
        return Embeddings.read(paths.embeddings(self.model.encoder) / f"{self.model.set}.safetensors")

    @property
    def unconditional(self) -> torch.Tensor | None:
        """(n, d), what guidance steers away from: the empty prompt's embedding; None is zeros."""
        return self.embeddings.empty if self.model.unconditional == "empty" else None

    @property
    def model(self) -> Model:
        """The parameters of the method's model."""
        if self.params.model is None:
            raise ValueError(f"params.yaml: generate.methods.{self.name} needs a model")
        return self.generate.models[self.params.model]

    @property
    def seeds(self) -> range:
        """Seeds of every mixture."""
        return range(self.params.seeds or self.generate.seeds)


def build(context: Context) -> Method:
    """The method that params.yaml names, from its file's `build`.

    Raises:
        ValueError: if the file does not exist or has no `build`.
    """
    key, path = f"params.yaml: generate.methods.{context.name}.module", Path(context.params.module)
    if not path.is_file():
        raise ValueError(f"{key}: no file {path}")
    module = importlib.import_module(".".join(path.with_suffix("").parts))
    if not hasattr(module, "build"):
        raise ValueError(f"{key}: {path} has no build(context)")
    return module.build(context)


@dataclass(frozen=True)
class Condition:
    """What a mixture's clip is conditioned on: an embedding (n, d), named by `variant`, described by `prompt`."""

    embedding: torch.Tensor
    prompt: str
    variant: str = ""


class MixtureMethod:
    """A method that samples CogVideoX for every mixture and seed; subclasses say on which embeddings.

    The initial noise depends on mixture and seed alone: it is the same in every method.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        model = context.model
        self.fps = model.fps
        prompts, mixtures = context.tables
        self.prompts = prompts
        self.mixtures = [mixture for mixture in mixtures if mixture.set == model.set][: context.generate.mixtures]
        if not self.mixtures:
            raise ValueError(f"params.yaml: generate.models: the set {model.set!r} has no mixtures")

    def conditions(self, mixture: Mixture) -> Sequence[Condition]:
        """The embeddings to sample for a mixture."""
        raise NotImplementedError

    @property
    def embeddings(self) -> Embeddings:
        """Token embeddings of the model's prompt set."""
        return self.context.embeddings

    @cached_property
    def searches(self) -> SearchResults:
        """What the search found for the model's encoder."""
        return SearchResults(paths.search(self.context.model.encoder), self.context.k, self.embeddings)

    @cached_property
    def _model(self) -> cogvideox.VideoModel:
        cogvideox.quiet()
        model = self.context.model
        return cogvideox.load(model.checkpoint, model.codec, model.embedding_scale)

    @cached_property
    def _sampling(self) -> cogvideox.Sampling:
        wanted = self.context.model.sampling
        if not isinstance(wanted.guidance, float):
            name = self.context.params.model
            raise ValueError(f"params.yaml: generate.models.{name}.sampling.guidance: CogVideoX takes one number")
        return cogvideox.Sampling(**dict(wanted))

    @cached_property
    def weights(self) -> str:
        """Hash of the denoiser and its decoder: weights and configurations."""
        model = self.context.model
        folders = [resolve(model.checkpoint) / part for part in ("transformer", "scheduler", "vae")]
        folders += [resolve(model.codec)] if model.codec else []
        return fingerprint([content_hash(folder) for folder in folders if folder.is_dir()])

    @property
    def origin(self) -> str:
        """The checkpoint."""
        return self.context.model.checkpoint

    @property
    def parameters(self) -> int:
        """Number of parameters of the denoiser."""
        return self._model.parameters

    @cached_property
    def _settings(self) -> list[object]:
        """What all clips of the method share: weights, sampling, and the code that samples."""
        model = self.context.model
        code = [sha256(Path(str(module.__file__))) for module in (cogvideox, guidance, sys.modules[__name__])]
        return [
            self.weights,
            asdict(self._sampling),
            model.embedding_scale,
            model.unconditional,
            code,
            version("diffusers"),
        ]

    def fingerprint(self, job: Job) -> str:
        """Hash of what all clips share and of the job's embedding."""
        embedding = self._condition(job).embedding
        return fingerprint([*self._settings, hashlib.sha256(embedding.numpy().tobytes()).hexdigest()])

    def prepare(self) -> None:
        """Load the model, and refuse embeddings that do not fit it."""
        cogvideox.check_embeddings(self._model, self.embeddings.tokens)

    @cached_property
    def _conditions(self) -> dict[str, Sequence[Condition]]:
        return {mixture.id: self.conditions(mixture) for mixture in self.mixtures}

    def jobs(self) -> list[Job]:
        """A job for every mixture, seed and condition."""
        return [
            Job(
                clip="-".join(filter(None, (mixture.name, f"s{seed}", condition.variant))),
                mixture=mixture.id,
                seed=seed,
                variant=condition.variant,
                prompt=condition.prompt,
                caption=self.prompts[mixture.guide].text,
            )
            for mixture in self.mixtures
            for seed in self.context.seeds
            for condition in self._conditions[mixture.id]
        ]

    def _condition(self, job: Job) -> Condition:
        return next(c for c in self._conditions[job.mixture] if c.variant == job.variant)

    def generate(self, jobs: Sequence[Job]) -> np.ndarray:
        """uint8 clips (B, T, H, W, 3)."""
        embeddings = torch.stack([self._condition(job).embedding for job in jobs])
        noise = cogvideox.initial_noise(self._model, self._sampling, [noise_seed(job) for job in jobs])
        return cogvideox.sample(self._model, embeddings, noise, self._sampling, self.context.unconditional).numpy()


def noise_seed(job: Job) -> int:
    """Seed of the initial noise, from mixture and seed alone."""
    return int.from_bytes(hashlib.sha256(f"{job.mixture}/{job.seed}".encode()).digest()[:7], "big")
