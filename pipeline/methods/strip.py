"""strip: the clips of the paper's Figure 3, at steps 1, opt - 1, opt, opt + 1 and k of the interpolation."""

from pipeline.methods.base import Condition, Context, MixtureMethod
from pipeline.prompts.sets import Mixture
from pipeline.richspace.interpolation import interpolate
from pipeline.richspace.optima import strip_steps


class Strip(MixtureMethod):
    """Clips along the interpolation around the optimum, for the report; variants are named by their step."""

    def conditions(self, mixture: Mixture) -> list[Condition]:
        a, b = self.searches.ends(mixture)
        k = self.searches.k
        steps = strip_steps(self.searches.steps[mixture.id], k)
        return [Condition(interpolate(a, b, step, k), f"step {step} of {k}", f"i{step}") for step in steps]


def build(context: Context) -> Strip:
    return Strip(context)
