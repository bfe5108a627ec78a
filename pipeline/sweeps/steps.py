"""Every step of the interpolation of two-part mixtures, and their guide prompts, as a variant of a method."""

from dataclasses import replace

from pipeline.config.generate import Method as MethodParams
from pipeline.config.params import Oracle, Params
from pipeline.methods.base import Method
from pipeline.methods.context import Context, Inputs
from pipeline.methods.rules import Condition, Mixtures, of_prompt
from pipeline.prompts.sets import Mixture
from pipeline.richspace.interpolation import interpolate

NAME = "oracle"
GUIDE = "guide"  # the variant of a clip on the guide prompt's own embedding; of a step it is i0 … ik


def context_of(params: Params, wanted: Oracle, inputs: Inputs | None = None) -> Context:
    """The context of the oracle's method, asked for the oracle's mixtures and seeds."""
    base = params.generate.methods[wanted.method]
    asked = {"limit": wanted.limit, "seeds": wanted.seeds}
    method = MethodParams.model_validate(base.model_dump() | asked)
    generate = params.generate.model_copy(update={"methods": {NAME: method}})
    return Context.of(params.model_copy(update={"generate": generate}), NAME, inputs)


def judged(context: Context) -> list[Mixture]:
    """The mixtures of two parts that the judge knows; none where the set has none, or is not the world's."""
    if all(mixture.set != context.set for mixture in context.inputs.tables[1]):
        return []  # context.mixtures refuses such a set, for methods that need one
    return [mixture for mixture in context.mixtures if _is_judged(mixture)]


def every_step(context: Context, k: int) -> Method:
    """A method that makes a clip of each judged mixture, seed and step 0 … k, and one on the guide prompt.

    Step 0 is part b, step k part a. All clips of a mixture and seed have the same initial noise, which is that of any
    other method's clip of them.
    """

    def conditions(mixture: Mixture) -> list[Condition]:
        if not _is_judged(mixture):
            return []
        a, b = (context.embeddings.of(part) for part in mixture.parts)
        steps = [Condition(interpolate(a, b, step, k), f"step {step} of {k}", f"i{step}") for step in range(k + 1)]
        return [*steps, replace(of_prompt(context, mixture.guide), variant=GUIDE)]

    return Method.of(context, Mixtures(context, conditions), context.sampler())


def step_of(variant: str) -> int | None:
    """The step that a clip's variant names; None for the guide prompt."""
    return None if variant == GUIDE else int(variant.removeprefix("i"))


def _is_judged(mixture: Mixture) -> bool:
    return len(mixture.parts) == 2 and "attributes" in mixture.extra
