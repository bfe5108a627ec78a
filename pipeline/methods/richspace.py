"""richspace: CogVideoX on the optimal interpolation of the mixture's parts (Algorithm 1)."""

from pipeline.methods.base import Condition, Context, MixtureMethod
from pipeline.prompts.sets import Mixture


class OptimalInterpolation(MixtureMethod):
    """One clip per mixture and seed, conditioned on the embedding that the search found."""

    def conditions(self, mixture: Mixture) -> list[Condition]:
        parts = " + ".join(self.prompts[part].text for part in mixture.parts)
        step, k = self.searches.steps[mixture.id], self.searches.k
        return [Condition(self.searches.optimal(mixture), f"[{step}/{k}] {parts}")]


def build(context: Context) -> OptimalInterpolation:
    return OptimalInterpolation(context)
