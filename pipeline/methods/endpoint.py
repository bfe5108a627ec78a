"""endpoint: any model on one part of a mixture alone, `part: first` (a) or `part: last` (b, or c of three)."""

from pipeline.methods.base import Method
from pipeline.methods.context import Context
from pipeline.methods.rules import Mixtures, of_prompt

PARTS = {"first": 0, "last": -1}


def build(context: Context) -> Method:
    expected = f"one of {', '.join(PARTS)}"
    part = context.options.take("part", str, expected)
    if part not in PARTS:
        raise context.options.wrong("part", part, expected)
    rule = Mixtures(context, lambda mixture: [of_prompt(context, mixture.parts[PARTS[part]])])
    return Method.of(context, rule, context.sampler())
