"""richspace: any model on the optimal interpolation of a mixture's parts (RichSpace, Algorithm 1).

`point` takes another point of that line instead, to see what Algorithm 2 and each part of it is worth.
"""

from pipeline.config.section import Section
from pipeline.methods.base import Method
from pipeline.methods.context import Context
from pipeline.methods.rules import Condition, Mixtures
from pipeline.prompts.sets import Mixture
from pipeline.richspace.choices import Choice


class Options(Section):
    """`point`: optimum is Algorithm 2's; see `pipeline.richspace.choices` for the others. Of three parts it is
    between the optimum of the first two and the third."""

    point: Choice = "optimum"


def build(context: Context) -> Method:
    from pipeline.richspace.interpolation import blend

    searches, point = context.searches, context.own(Options).point

    def condition(mixture: Mixture) -> list[Condition]:
        line = searches.line(mixture)
        weight = line.weight(point)
        parts = " + ".join(context.text(part) for part in mixture.parts)
        return [Condition(blend(line.a, line.b, weight), f"[{weight * line.k:.4g}/{line.k}] {parts}")]

    return Method.of(context, Mixtures(context, condition), context.sampler())
