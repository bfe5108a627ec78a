"""strip: the clips of the paper's Figure 3, at steps 1, opt - 1, opt, opt + 1 and k of the interpolation.

They are for the report; their variants are named by their step.
"""

from pipeline.methods.base import Method
from pipeline.methods.context import Context
from pipeline.methods.rules import Condition, Mixtures
from pipeline.prompts.sets import Mixture
from pipeline.richspace.optima import strip_steps


def build(context: Context) -> Method:
    from pipeline.richspace.interpolation import interpolate

    searches = context.searches

    def along_the_line(mixture: Mixture) -> list[Condition]:
        (a, b), k = searches.ends(mixture), searches.k
        steps = strip_steps(searches.steps[mixture.id], k)
        return [Condition(interpolate(a, b, step, k), f"step {step} of {k}", f"i{step}") for step in steps]

    return Method.of(context, Mixtures(context, along_the_line), context.sampler())
