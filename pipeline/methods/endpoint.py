"""endpoint: any model on one part of a mixture alone. `part: first` is a; `part: last` is b, or c of three."""

from typing import Literal

from pipeline.config.section import Section
from pipeline.methods.base import Method
from pipeline.methods.context import Context
from pipeline.methods.rules import Mixtures, of_prompt


class Options(Section):
    part: Literal["first", "last"]


def build(context: Context) -> Method:
    place = 0 if context.own(Options).part == "first" else -1
    rule = Mixtures(context, lambda mixture: [of_prompt(context, mixture.parts[place])])
    return Method.of(context, rule, context.sampler())
