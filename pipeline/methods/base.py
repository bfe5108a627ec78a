"""What a method is: a rule for what it makes, a sampler, and a rule for noise. Nothing is inherited."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from metrics.hashing import fingerprint
from pipeline.clips.jobs import Asked, Job
from pipeline.config.code import CARRIES_NO_RESULT, code_hash
from pipeline.methods.context import Context
from pipeline.methods.noise import Noise
from pipeline.methods.rules import Request, Rule

if TYPE_CHECKING:
    import numpy as np
    import torch

    from pipeline.samplers.base import Sampler

# What these make enters a clip's fingerprint by value: parameters, texts, embeddings, weights.
BY_VALUE = (*CARRIES_NO_RESULT, "pipeline.prompts", "pipeline.text", "pipeline.richspace", "pipeline.weights")
LIBRARIES = ("torch", "diffusers", "peft")


@dataclass(frozen=True)
class Method:
    """Samples what its rule asks for. A clip's initial noise depends on its prompt or mixture, and seed, alone: it is
    the same in every method with the same rule for noise. A `clips.jobs.ClipMaker`.

    Args:
        code: dotted names of the modules that make its clips, its own and its sampler's. options: of the entry, where a
            subclass may make something else of them than rule, sampler and noise, which enter fingerprints by value.
    """

    rule: Rule
    sampler: Sampler
    noise: Noise
    fps: int
    unconditional: torch.Tensor | None
    code: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, context: Context, rule: Rule, sampler: Sampler, noise: Noise | None = None) -> Method:
        """A method of params.yaml; noise is independent in every frame unless said otherwise."""
        code = (context.module, type(sampler).__module__)
        options = {} if cls is Method else context.params.options
        return cls(rule, sampler, noise or Noise(), context.model.fps, context.unconditional, code, options)

    @property
    def asked(self) -> Asked:
        """What its clips are asked for, by which tables group them."""
        return self.rule.asked

    @property
    def origin(self) -> str:
        """The checkpoint and what is put on it."""
        return self.sampler.origin

    @property
    def weights(self) -> str:
        """Hash of everything that is loaded."""
        return self.sampler.weights

    @property
    def parameters(self) -> int:
        """Number of parameters of the denoiser; loads it."""
        return self.sampler.parameters

    @cached_property
    def _requests(self) -> dict[str, Request]:
        requests = self.rule.requests()
        named = {request.job.clip: request for request in requests}
        if not requests or len(named) < len(requests):
            counts = f"{len(named)} names for {len(requests)} clips"
            raise ValueError(f"{self.code[0]}: {counts}: expected some, each of its own name (a condition's `variant`)")
        return named

    def jobs(self) -> list[Job]:
        """A job for everything that is asked for."""
        return [request.job for request in self._requests.values()]

    @cached_property
    def made_by(self) -> dict[str, Any]:
        """What all its clips share: weights, sampling, noise, the empty prompt, code and libraries."""
        return {
            "weights": self.weights,
            "fps": self.fps,
            "sampling": self.sampler.settings,
            "noise": asdict(self.noise),
            "empty prompt": "" if self.unconditional is None else _digest(self.unconditional),
            "code": code_hash(*self.code, without=BY_VALUE),
            "libraries": {name: version(name) for name in LIBRARIES},
            **({"options": dict(self.options)} if self.options else {}),
        }

    def fingerprint(self, job: Job) -> str:
        """Hash of what all clips share, of the job's noise and of its embedding."""
        return fingerprint([self.made_by, _noise_seed(job), _digest(self._requests[job.clip].embedding)])

    def prepare(self) -> None:
        """Load the model, and refuse what does not fit it."""
        length, width = next(iter(self._requests.values())).embedding.shape
        self.sampler.prepare(length, width)

    def generate(self, jobs: Sequence[Job]) -> np.ndarray:
        """uint8 clips (B, T, H, W, 3)."""
        import torch

        embeddings = torch.stack([self._requests[job.clip].embedding for job in jobs])
        return self.sampler.sample(embeddings, self.noise_of(jobs), self.unconditional).numpy()

    def noise_of(self, jobs: Sequence[Job]) -> torch.Tensor:
        """The initial noise (B, …) of B jobs."""
        import torch

        shape, axis = self.sampler.noise_shape, self.sampler.frame_axis
        return torch.stack([self.noise.draw(shape, axis, _noise_seed(job)) for job in jobs])


def build(context: Context) -> Method:
    """The method that params.yaml names, from its file's `build`.

    Raises:
        ValueError: naming the entry, if its file has no `build`, or what it names cannot be had.
    """
    module = importlib.import_module(context.module)
    if not hasattr(module, "build"):
        raise ValueError(f"params.yaml: {context.key}.module: {context.params.module} has no build(context)")
    try:
        return module.build(context)
    except ValueError as error:
        named = context.key in str(error)
        raise ValueError(str(error) if named else f"params.yaml: {context.key}: {error}") from error


def _digest(tensor: torch.Tensor) -> str:
    return hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()


def _noise_seed(job: Job) -> int:
    """Seed of the initial noise, from mixture or prompt, and seed."""
    asked_for = job.mixture or job.prompt_id
    return int.from_bytes(hashlib.sha256(f"{asked_for}/{job.seed}".encode()).digest()[:7], "big")
