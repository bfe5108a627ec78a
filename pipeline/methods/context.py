"""What a method may need: its entry in params.yaml, and what earlier stages made of its prompt set."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config import paths
from pipeline.config.generate import AskedFor, Generate, Model
from pipeline.config.generate import Method as MethodParams
from pipeline.config.methods import FAMILIES, Animated, Own, module_name, typed
from pipeline.config.params import Params
from pipeline.prompts.sets import Mixture, Prompt, spread
from pipeline.prompts.tables import read_tables

if TYPE_CHECKING:  # files of methods are imported to check params.yaml, without torch
    import torch

    from pipeline.richspace.search import SearchResults
    from pipeline.samplers.base import Sampler
    from pipeline.samplers.guidance import Guidance
    from pipeline.text.embeddings import Embeddings

ANIMATED = {"stable_diffusion": "animatediff"}  # families of images, and what temporal layers make of them


class Inputs:
    """The files that methods read, each once in a process."""

    def __init__(self) -> None:
        self._embeddings: dict[Path, Embeddings] = {}

    @cached_property
    def tables(self) -> tuple[dict[str, Prompt], list[Mixture]]:
        """Prompts by id, and mixtures."""
        return read_tables(paths.PROMPTS, paths.MIXTURES)

    def embeddings(self, encoder: str, set_name: str) -> Embeddings:
        """Token embeddings of a prompt set."""
        from pipeline.text.embeddings import Embeddings

        path = paths.embeddings(encoder) / f"{set_name}.safetensors"
        if path not in self._embeddings:
            self._embeddings[path] = Embeddings.read(path)
        return self._embeddings[path]


@dataclass(frozen=True)
class Context:
    """A method's entry, those of its stage, RichSpace's k, HARIVO's α, and what the method reads."""

    name: str
    params: MethodParams
    generate: Generate
    k: int
    mg_scale: float
    inputs: Inputs = field(default_factory=Inputs)

    @classmethod
    def of(cls, wanted: Params, name: str, inputs: Inputs | None = None) -> Context:
        """The context of a method of params.yaml."""
        method, k = wanted.generate.methods[name], wanted.search.default_k
        return cls(name, method, wanted.generate, k, wanted.harivo.mg_scale, inputs or Inputs())

    @property
    def module(self) -> str:
        """The method's module by its dotted name."""
        return module_name(self.params.module)

    @property
    def key(self) -> str:
        """Of the entry in params.yaml."""
        return f"generate.methods.{self.name}"

    def own(self, options: type[Own]) -> Own:
        """The entry's options of a kind."""
        return typed(self.key, options, self.params.options)

    @property
    def model(self) -> Model:
        """The parameters of the method's model."""
        return self.generate.models[self.params.model]

    @property
    def set(self) -> str:
        """The set whose prompts or mixtures are asked for."""
        return self.generate.set_of(self.params)

    @cached_property
    def mixtures(self) -> list[Mixture]:
        """The mixtures that are asked for.

        Raises:
            ValueError: if the set has none.
        """
        own = [mixture for mixture in self.inputs.tables[1] if mixture.set == self.set]
        if not own:
            raise ValueError(f"params.yaml: {self.key}: the set {self.set!r} has no mixtures")
        return spread(own, self.generate.limit_of(self.params, "mixtures"))

    @cached_property
    def prompts(self) -> list[Prompt]:
        """The prompts that are asked for: those that are no part and no guide of a mixture, or all of a
        set that has no others.

        Raises:
            ValueError: if the set has none.
        """
        prompts, mixtures = self.inputs.tables
        mixed = {part for mixture in mixtures for part in (*mixture.parts, mixture.guide)}
        every = [prompt for prompt in prompts.values() if prompt.set == self.set]
        own = [prompt for prompt in every if prompt.id not in mixed] or every
        if not own:
            raise ValueError(f"params.yaml: {self.key}: the set {self.set!r} has no prompts")
        return own[: self.generate.limit_of(self.params, "prompts")]

    def seeds(self, asked: AskedFor) -> range:
        """Seeds of every prompt or mixture."""
        return range(self.params.seeds or getattr(self.generate, asked).seeds)

    def text(self, prompt_id: str) -> str:
        """A prompt's text."""
        return self.inputs.tables[0][prompt_id].text

    @property
    def embeddings(self) -> Embeddings:
        """Token embeddings of the method's prompt set, by its model's encoder."""
        return self.inputs.embeddings(self.model.encoder, self.set)

    @property
    def unconditional(self) -> torch.Tensor | None:
        """(n, d), what guidance steers away from: the empty prompt's embedding; None is zeros."""
        return self.embeddings.empty if self.model.unconditional == "empty" else None

    @cached_property
    def searches(self) -> SearchResults:
        """What the search found for the model's encoder."""
        from pipeline.richspace.search import SearchResults

        return SearchResults(paths.search(self.model.encoder), self.k, self.embeddings)

    def sampler(self, mg: bool = False) -> Sampler:
        """The sampler of the model's family; temporal layers (`motion`) make a family of images one of videos.

        Args:
            mg: whether guidance has the mitigating gradient in it, where the entry says nothing.

        Raises:
            ValueError: if the family cannot be sampled so.
        """
        family = self.model.family
        options = self.own(FAMILIES[family])
        if isinstance(options, Animated):
            mg = mg if options.mg is None else options.mg
            family = ANIMATED[family] if options.motion else family
        module = importlib.import_module(f"pipeline.samplers.{family}")
        return module.build(self.model, self._guidance(mg), options)

    def _guidance(self, mg: bool) -> Guidance:
        from pipeline.samplers.guidance import Guidance

        wanted = self.model.sampling.guidance
        return Guidance(wanted.late, wanted.early, wanted.until, self.mg_scale if mg else 0.0)
