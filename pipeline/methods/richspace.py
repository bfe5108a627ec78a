"""richspace: any model on the optimal interpolation of a mixture's parts (RichSpace, Algorithm 1)."""

from pipeline.methods.base import Method
from pipeline.methods.context import Context
from pipeline.methods.rules import Condition, Mixtures
from pipeline.prompts.sets import Mixture


def build(context: Context) -> Method:
    searches = context.searches

    def optimum(mixture: Mixture) -> list[Condition]:
        parts = " + ".join(context.text(part) for part in mixture.parts)
        return [Condition(searches.optimal(mixture), f"[{searches.steps[mixture.id]}/{searches.k}] {parts}")]

    return Method.of(context, Mixtures(context, optimum), context.sampler())
