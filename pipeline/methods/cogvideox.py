"""cogvideox: the baseline, CogVideoX on the guide prompt as it is."""

from pipeline.methods.base import Condition, Context, MixtureMethod
from pipeline.prompts.sets import Mixture


class GuidePrompt(MixtureMethod):
    """One clip per mixture and seed, conditioned on the guide prompt's own embedding."""

    def conditions(self, mixture: Mixture) -> list[Condition]:
        return [Condition(self.embeddings.of(mixture.guide), self.prompts[mixture.guide].text)]


def build(context: Context) -> GuidePrompt:
    return GuidePrompt(context)
