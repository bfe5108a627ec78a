"""The rules for what a method makes: the prompts of a set, or its mixtures under a condition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from pipeline.clips.jobs import Asked, Job
from pipeline.config.section import Section
from pipeline.methods.context import Context
from pipeline.prompts.sets import Mixture, Prompt

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Request:
    """A job, and the embedding (n, d) that conditions its clip."""

    job: Job
    embedding: torch.Tensor


class Rule(Protocol):
    """asked: what it asks for. requests: each with its embedding, in a fixed order, their clips named apart."""

    @property
    def asked(self) -> Asked: ...
    def requests(self) -> list[Request]: ...


@dataclass(frozen=True)
class Condition:
    """What a mixture's clip is conditioned on: an embedding (n, d), named by `variant`, described by `prompt`."""

    embedding: torch.Tensor
    prompt: str
    variant: str = ""


@dataclass(frozen=True)
class Prompts:
    """The prompts of the method's set that are no part and no guide of a mixture, each from its own embedding."""

    context: Context
    asked: Asked = "prompts"

    def requests(self) -> list[Request]:
        embeddings, seeds = self.context.embeddings, self.context.seeds(self.asked)
        return [
            Request(_job(prompt.name, prompt, seed), embeddings.of(prompt.id))
            for prompt in self.context.prompts
            for seed in seeds
        ]


@dataclass(frozen=True)
class Mixtures:
    """The mixtures of the method's set, each under the conditions that it is sampled on."""

    context: Context
    conditions: Callable[[Mixture], Sequence[Condition]]
    asked: Asked = "mixtures"

    def requests(self) -> list[Request]:
        seeds = self.context.seeds(self.asked)
        return [
            Request(self._job(mixture, seed, condition), condition.embedding)
            for mixture, conditions in [(mixture, self.conditions(mixture)) for mixture in self.context.mixtures]
            for seed in seeds
            for condition in conditions
        ]

    def _job(self, mixture: Mixture, seed: int, condition: Condition) -> Job:
        clip = "-".join(filter(None, (mixture.name, f"s{seed}", condition.variant)))
        caption = self.context.text(mixture.guide)
        return Job(clip, mixture.id, seed, condition.variant, condition.prompt, caption)


class TextOptions(Section):
    """Options of a method that takes texts as they are. `ask`: for prompts, or for the guide prompts of mixtures."""

    ask: Literal["prompts", "mixtures"] = "prompts"


def texts(context: Context) -> Rule:
    """What a model makes of texts as they are; see `TextOptions`."""
    if context.own(TextOptions).ask == "prompts":
        return Prompts(context)
    return Mixtures(context, lambda mixture: [of_prompt(context, mixture.guide)])


def of_prompt(context: Context, prompt_id: str) -> Condition:
    """A prompt's own embedding."""
    return Condition(context.embeddings.of(prompt_id), context.text(prompt_id))


def _job(clip: str, prompt: Prompt, seed: int) -> Job:
    return Job(f"{clip}-s{seed}", "", seed, "", prompt.text, prompt.text, prompt.id)
