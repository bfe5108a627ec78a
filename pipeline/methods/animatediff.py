"""animatediff: the baseline, temporal layers trained on the denoising loss alone. Option: `motion`, their folder."""

from pipeline.methods.base import Method
from pipeline.methods.context import Context
from pipeline.methods.rules import texts


def build(context: Context) -> Method:
    context.options.require("motion")
    return Method.of(context, texts(context), context.sampler())
