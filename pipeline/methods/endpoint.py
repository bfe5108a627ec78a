"""endpoint: CogVideoX on one part of the mixture alone, `part: first` (a) or `part: last` (b, or c of three)."""

from pipeline.methods.base import Condition, Context, MixtureMethod
from pipeline.prompts.sets import Mixture

PARTS = {"first": 0, "last": -1}


class EndPoint(MixtureMethod):
    """One clip per mixture and seed, conditioned on a part's own prompt."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        part = context.params.options.get("part")
        if part not in PARTS:
            raise ValueError(
                f"params.yaml: generate.methods.{context.name}.part is {part!r}, expected one of {sorted(PARTS)}"
            )
        self.index = PARTS[part]

    def conditions(self, mixture: Mixture) -> list[Condition]:
        part = mixture.parts[self.index]
        return [Condition(self.embeddings.of(part), self.prompts[part].text)]


def build(context: Context) -> EndPoint:
    return EndPoint(context)
